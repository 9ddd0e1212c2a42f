from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from bothways.contract.document import Environment
from bothways.xds.state import Anchors, CustomerServer, KeyPair, ServiceRoute
from bothways.xds.tls import (
    customer_socket,
    inbound_socket,
    key_pair_secret,
    probe_trust_secret,
    service_socket,
    trust_secret,
)

OVER_ADS = {"ads": {}, "resource_api_version": "V3"}
PARAMETERS = {
    "tls_minimum_protocol_version": "TLSv1_2",
    "tls_maximum_protocol_version": "TLSv1_3",
    "cipher_suites": [
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ],
    "ecdh_curves": ["X25519", "P-256", "P-384"],
    "signature_algorithms": [
        "ecdsa_secp256r1_sha256",
        "rsa_pss_rsae_sha256",
        "rsa_pkcs1_sha256",
        "ecdsa_secp384r1_sha384",
        "rsa_pss_rsae_sha384",
        "rsa_pkcs1_sha384",
        "rsa_pss_rsae_sha512",
        "rsa_pkcs1_sha512",
    ],
}


def test_the_endpoint_requires_a_client_certificate_and_resumes_no_session(shown: Callable[[Any], Any]) -> None:
    assert shown(inbound_socket()) == {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "tls_params": PARAMETERS | {"ecdh_curves": ["X25519MLKEM768", "X25519", "P-256", "P-384"]},
                "tls_certificate_sds_secret_configs": [{"name": "server-certificate", "sds_config": OVER_ADS}],
                "validation_context_sds_secret_config": {"name": "customer-trust", "sds_config": OVER_ADS},
                "alpn_protocols": ["h2", "http/1.1"],
            },
            "require_client_certificate": True,
            "disable_stateless_session_resumption": True,
            "disable_stateful_session_resumption": True,
        },
    }


def test_a_node_is_asked_to_call_a_customer_by_the_control_planes_probes_alone(
    shown: Callable[[Any], Any], server: CustomerServer
) -> None:
    secret = shown(probe_trust_secret(server.anchors, Environment.PPR))
    assert secret["validation_context"].pop("match_typed_subject_alt_names") == [
        {"san_type": "URI", "matcher": {"exact": "urn:bothways-probes:PPR"}}
    ]
    assert secret == shown(trust_secret("probe-trust", server.anchors))


def test_a_customers_server_is_proved_by_its_own_anchors_and_exactly_its_host_name(
    shown: Callable[[Any], Any], server: CustomerServer
) -> None:
    assert shown(customer_socket(server)) == {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "callbacks.bank.example",
            "common_tls_context": {
                "tls_params": PARAMETERS,
                "tls_certificate_sds_secret_configs": [{"name": "client-certificate/12345678", "sds_config": OVER_ADS}],
                "validation_context": {
                    "trusted_ca": {"inline_string": server.anchors.pem},
                    "match_typed_subject_alt_names": [
                        {"san_type": "DNS", "matcher": {"exact": "callbacks.bank.example"}}
                    ],
                },
                "alpn_protocols": ["http/1.1"],
            },
        },
    }


def test_pins_come_on_top_of_anchors_and_name_in_the_form_that_envoy_has(
    shown: Callable[[Any], Any], server: CustomerServer
) -> None:
    pinned = shown(customer_socket(replace(server, spki_pins=("00" * 32, "ff" * 32))))
    validation = pinned["typed_config"]["common_tls_context"]["validation_context"]
    pins = validation.pop("verify_certificate_spki")
    assert [b64decode(each) for each in pins] == [bytes(32), b"\xff" * 32]
    assert validation == shown(customer_socket(server))["typed_config"]["common_tls_context"]["validation_context"]


@pytest.mark.parametrize(("http2", "alpn"), [(False, "http/1.1"), (True, "h2")])
def test_a_service_is_proved_by_the_anchors_given_for_it_and_exactly_its_host_name(
    shown: Callable[[Any], Any],
    anchors: Anchors,
    http2: bool,  # noqa: FBT001 - both settings are the point
    alpn: str,
) -> None:
    service = ServiceRoute("tokens", "/tokens", "tokens.internal", 8443, (), anchors, http2=http2)
    assert shown(service_socket(service.host, anchors, http2=service.http2)) == {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": "tokens.internal",
            "common_tls_context": {
                "tls_params": PARAMETERS,
                "validation_context": {
                    "trusted_ca": {"inline_string": anchors.pem},
                    "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "tokens.internal"}}],
                },
                "alpn_protocols": [alpn],
            },
        },
    }


def test_no_tls_1_0_suite_without_forward_secrecy_or_sha_1_signature_is_offered() -> None:
    context = tls_pb2.DownstreamTlsContext()
    assert inbound_socket().typed_config.Unpack(context)
    parameters = context.common_tls_context.tls_params
    assert [each for each in parameters.cipher_suites if not each.startswith("ECDHE-") or "CBC" in each] == []
    assert [each for each in parameters.signature_algorithms if "sha1" in each] == []


@pytest.mark.parametrize("field", ["trust_chain_verification", "allow_expired_certificate"])
def test_no_switch_that_weakens_verification_is_set(server: CustomerServer, field: str) -> None:
    context = tls_pb2.UpstreamTlsContext()
    assert customer_socket(server).typed_config.Unpack(context)
    assert not getattr(context.common_tls_context.validation_context, field)
    assert not context.allow_renegotiation


def test_a_key_pair_is_a_secret_of_a_chain_and_its_key(
    shown: Callable[[Any], Any], make_pair: Callable[[str], KeyPair]
) -> None:
    pair = make_pair("server")
    assert shown(key_pair_secret("server-certificate", pair)) == {
        "name": "server-certificate",
        "tls_certificate": {
            "certificate_chain": {"inline_string": pair.certificate_pem},
            "private_key": {"inline_string": pair.key_pem},
        },
    }


def test_trust_is_a_secret_of_anchors_that_are_there(shown: Callable[[Any], Any], anchors: Anchors) -> None:
    assert shown(trust_secret("customer-trust", anchors)) == {
        "name": "customer-trust",
        "validation_context": {"trusted_ca": {"inline_string": anchors.pem}},
    }


def test_revocation_lists_are_asked_for_end_entities_alone(
    shown: Callable[[Any], Any], make_ca: Callable[..., Any]
) -> None:
    key, ca = make_ca("CA")
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.subject).last_update(ca.not_valid_before_utc)
    signed = builder.next_update(ca.not_valid_after_utc).sign(key, SHA256()).public_bytes(Encoding.PEM).decode()
    pem = ca.public_bytes(Encoding.PEM).decode()
    assert shown(trust_secret("trust", Anchors(pem, (signed,))))["validation_context"] == {
        "trusted_ca": {"inline_string": pem},
        "crl": {"inline_string": signed},
        "only_verify_leaf_cert_crl": True,
    }
    assert shown(trust_secret("trust", Anchors(pem)))["validation_context"] == {"trusted_ca": {"inline_string": pem}}
