"""TLS contexts and secrets. None can be built without trust anchors: they are arguments of a type that proves them."""

from base64 import b64encode
from functools import cache
from typing import Any

from envoy.config.core.v3 import base_pb2, config_source_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2, tls_pb2
from envoy.type.matcher.v3 import string_pb2

from bothways.contract.document import Environment
from bothways.pki.profile import prober_uri_id
from bothways.xds import names
from bothways.xds.state import Anchors, CustomerServer, KeyPair
from bothways.xds.suites import CIPHER_SUITES, CURVES, CURVES_ANSWERED, SIGNATURE_ALGORITHMS
from bothways.xds.typed import any_of, over_ads


def key_pair_secret(name: str, pair: KeyPair) -> Any:
    """Return a certificate with its key as a secret."""
    return secret_pb2.Secret(
        name=name,
        tls_certificate=common_pb2.TlsCertificate(
            certificate_chain=_inline(pair.certificate_pem), private_key=_inline(pair.key_pem)
        ),
    )


def trust_secret(name: str, anchors: Anchors) -> Any:
    """Return trust anchors as a secret, with their revocation lists if they come with any."""
    context = common_pb2.CertificateValidationContext(trusted_ca=_inline(anchors.pem))
    if anchors.lists:
        context.crl.CopyFrom(_inline("".join(anchors.lists)))
        # The anchors themselves are on no list: their own is asked for otherwise, and everybody is refused.
        context.only_verify_leaf_cert_crl = True
    return secret_pb2.Secret(name=name, validation_context=context)


def probe_trust_secret(anchors: Anchors, environment: Environment) -> Any:
    """Return as a secret who may have a remote node call a customer: the control plane's probes, and no node."""
    secret = trust_secret(names.PROBE_TRUST, anchors)
    matcher = string_pb2.StringMatcher(exact=prober_uri_id(environment))
    kind = common_pb2.SubjectAltNameMatcher.SanType.URI
    secret.validation_context.match_typed_subject_alt_names.add(san_type=kind, matcher=matcher)
    return secret


def inbound_socket(trust: str = names.CUSTOMER_TRUST) -> Any:
    """Return the transport socket of the endpoint: a client certificate is required, and no session is resumed.

    Resumption would carry an authenticated session past a revocation or a change of trust. `trust` is the secret that
    says whose certificate it may be.
    """
    context = tls_pb2.DownstreamTlsContext(
        common_tls_context=_common_context(
            CURVES_ANSWERED,
            tls_certificate_sds_secret_configs=[_by_sds(names.SERVER_CERTIFICATE)],
            validation_context_sds_secret_config=_by_sds(trust),
            alpn_protocols=["h2", "http/1.1"],
        ),
        disable_stateless_session_resumption=True,
        disable_stateful_session_resumption=True,
    )
    context.require_client_certificate.value = True
    return base_pb2.TransportSocket(name=names.TLS_TRANSPORT_SOCKET, typed_config=any_of(context))


def customer_socket(server: CustomerServer) -> Any:
    """Return the transport socket towards one customer's server: its own anchors, and exactly its host name.

    The anchors stand inline: withdrawn by SDS they would leave pooled connections working. Pins come on top: the path
    to an anchor has to hold as well. The client certificate is a secret of this customer's own: another one comes in
    its place, and the cluster stays as it is.
    """
    validation = _named(server.host, server.anchors)
    validation.verify_certificate_spki.extend(b64encode(bytes.fromhex(each)).decode() for each in server.spki_pins)
    context = tls_pb2.UpstreamTlsContext(
        sni=server.host,
        common_tls_context=_common_context(
            CURVES,
            tls_certificate_sds_secret_configs=[_by_sds(names.client_certificate(server.tsp_id))],
            validation_context=validation,
            alpn_protocols=["http/1.1"],
        ),
    )
    return base_pb2.TransportSocket(name=names.TLS_TRANSPORT_SOCKET, typed_config=any_of(context))


def service_socket(host: str, anchors: Anchors, *, http2: bool) -> Any:
    """Return the transport socket towards a server inside the hub: the anchors given for it, exactly its host name."""
    context = tls_pb2.UpstreamTlsContext(
        sni=host,
        common_tls_context=_common_context(
            CURVES,
            validation_context=_named(host, anchors),
            alpn_protocols=["h2" if http2 else "http/1.1"],
        ),
    )
    return base_pb2.TransportSocket(name=names.TLS_TRANSPORT_SOCKET, typed_config=any_of(context))


def files_secret(name: str, directory: str, certificate: str, key: str) -> Any:
    """Return a certificate and its key in files as a secret; Envoy reads them again when a file there is replaced."""
    return secret_pb2.Secret(
        name=name,
        tls_certificate=common_pb2.TlsCertificate(
            certificate_chain=base_pb2.DataSource(filename=certificate),
            private_key=base_pb2.DataSource(filename=key),
            watched_directory=base_pb2.WatchedDirectory(path=directory),
        ),
    )


def files_trust(name: str, directory: str, anchors: str, host: str) -> Any:
    """Return trust anchors in a file as a secret, which vouch for exactly this DNS-ID."""
    context = common_pb2.CertificateValidationContext(
        trusted_ca=base_pb2.DataSource(filename=anchors),
        watched_directory=base_pb2.WatchedDirectory(path=directory),
        match_typed_subject_alt_names=[_dns_id(host)],
    )
    return secret_pb2.Secret(name=name, validation_context=context)


def control_plane_socket(certificate_file: str, trust_file: str, host: str, protocol: str) -> Any:
    """Return the transport socket of a remote node towards the control plane; both files hold one secret each.

    The secrets come from files, for there is no control plane yet to bring them. No session is resumed: the next
    connection has the certificate that is in the files then.
    """
    context = tls_pb2.UpstreamTlsContext(
        sni=host,
        common_tls_context=_common_context(
            CURVES,
            tls_certificate_sds_secret_configs=[_from_file(names.NODE_CERTIFICATE, certificate_file)],
            validation_context_sds_secret_config=_from_file(names.NODE_TRUST, trust_file),
            alpn_protocols=[protocol],
        ),
    )
    context.max_session_keys.value = 0
    return base_pb2.TransportSocket(name=names.TLS_TRANSPORT_SOCKET, typed_config=any_of(context))


def _named(host: str, anchors: Anchors) -> Any:
    """Return what a server has to prove: its DNS-ID, exactly, under these anchors (RFC 9525 section 6.3)."""
    return common_pb2.CertificateValidationContext(
        trusted_ca=_inline(anchors.pem), match_typed_subject_alt_names=[_dns_id(host)]
    )


def _common_context(curves: tuple[str, ...], **more: Any) -> Any:
    """Return what all directions share: versions, suites, signature algorithms."""
    return tls_pb2.CommonTlsContext(tls_params=_parameters(curves), **more)


@cache
def _parameters(curves: tuple[str, ...]) -> Any:
    return common_pb2.TlsParameters(
        tls_minimum_protocol_version=common_pb2.TlsParameters.TLSv1_2,
        tls_maximum_protocol_version=common_pb2.TlsParameters.TLSv1_3,
        cipher_suites=CIPHER_SUITES,
        ecdh_curves=curves,
        signature_algorithms=SIGNATURE_ALGORITHMS,
    )


def _by_sds(name: str) -> Any:
    return secret_pb2.SdsSecretConfig(name=name, sds_config=over_ads())


def _from_file(name: str, path: str) -> Any:
    source = config_source_pb2.ConfigSource(
        path_config_source=config_source_pb2.PathConfigSource(path=path),
        resource_api_version=config_source_pb2.ApiVersion.V3,
    )
    return secret_pb2.SdsSecretConfig(name=name, sds_config=source)


def _dns_id(host: str) -> Any:
    return common_pb2.SubjectAltNameMatcher(
        san_type=common_pb2.SubjectAltNameMatcher.SanType.DNS, matcher=string_pb2.StringMatcher(exact=host)
    )


def _inline(text: str) -> Any:
    return base_pb2.DataSource(inline_string=text)
