"""The sidecar's TLS: transport sockets and secrets as Envoy's JSON. None can be built without trust anchors and names.

Plain JSON and not typed messages: those are in `xds-protos`, which would make the extra `[sidecar]` twice as large.
Tests read everything here back into the typed messages, and compare it with what the hub's builders make.
"""

from pathlib import Path
from typing import Any

from bothways.contract.document import Contract
from bothways.spoke import tls
from bothways.spoke.platform_store import server_ca
from bothways.xds import names
from bothways.xds.state import Anchors
from bothways.xds.suites import CIPHER_SUITES, CURVES, CURVES_ANSWERED, SIGNATURE_ALGORITHMS

HUB_TRUST = "hub-trust"
"""The secret of whom the sidecar believes to be the hub, when it calls."""
CLIENT_CA_TRUST = "client-ca-trust"
"""The secret of whom it believes to be the hub, when it is called."""
CLIENT_PAIR, SERVER_PAIR = "client-pair", "server-pair"
"""The secrets of the certificates that it shows: to the hub as a client, and as a server."""

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"


def hub_socket(host: str, directory: str) -> dict[str, Any]:
    """Return the transport socket towards the hub; no session is resumed, so each connection shows the certificate."""
    return _socket(
        {
            "@type": f"{_TLS}.UpstreamTlsContext",
            "sni": host,
            "max_session_keys": 0,
            "common_tls_context": _common(CURVES, CLIENT_PAIR, HUB_TRUST, directory),
        }
    )


def callback_socket(directory: str) -> dict[str, Any]:
    """Return the transport socket at which the hub calls: a client certificate is required, no session is resumed."""
    return _socket(
        {
            "@type": f"{_TLS}.DownstreamTlsContext",
            "require_client_certificate": True,
            "disable_stateless_session_resumption": True,
            "disable_stateful_session_resumption": True,
            "common_tls_context": _common(CURVES_ANSWERED, SERVER_PAIR, CLIENT_CA_TRUST, directory)
            | {"alpn_protocols": ["h2", "http/1.1"]},
        }
    )


def pair_secret(name: str, certificate: Path, key: Path) -> dict[str, Any]:
    """Return the secret of the pair in these files. Envoy looks at the certificate's directory for renamed ones."""
    return _secret(
        name,
        {
            "tls_certificate": {
                "certificate_chain": {"filename": str(certificate)},
                "private_key": {"filename": str(key)},
                "watched_directory": {"path": str(certificate.parent)},
            }
        },
    )


def hub_trust(contract: Contract, host: str) -> dict[str, Any]:
    """Return the secret that vouches for the hub's endpoint: the contract's CAs, and exactly this host (RFC 9525)."""
    return trust(HUB_TRUST, server_ca(contract), host)


def client_ca_trust(contract: Contract) -> dict[str, Any]:
    """Return the secret that vouches for who calls: every Client CA of the contract, and exactly the hub's name (R12).

    A single certificate of the hub cannot be trusted in this way, for it is no CA (R15). Raises `Refused`.
    """
    tls.client_anchors(contract)
    return trust(CLIENT_CA_TRUST, contract.trust.client_ca, contract.terms.hub)


def trust(name: str, pem: str, host: str) -> dict[str, Any]:
    """Return the secret that vouches for whoever has a certificate with exactly this DNS-ID, under these CAs in PEM."""
    context = {
        # Read first: to Envoy, no anchors mean that anybody may enter.
        "trusted_ca": {"inline_string": Anchors(tls.anchors(pem)).pem},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": host}}],
    }
    return _secret(name, {"validation_context": context})


def _secret(name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"resources": [{"@type": names.SECRET_TYPE, "name": name, **content}]}


def _socket(context: dict[str, Any]) -> dict[str, Any]:
    return {"name": names.TLS_TRANSPORT_SOCKET, "typed_config": context}


def _common(curves: tuple[str, ...], pair: str, trust: str, directory: str) -> dict[str, Any]:
    return {
        "tls_params": {
            "tls_minimum_protocol_version": "TLSv1_2",
            "tls_maximum_protocol_version": "TLSv1_3",
            "cipher_suites": list(CIPHER_SUITES),
            "ecdh_curves": list(curves),
            "signature_algorithms": list(SIGNATURE_ALGORITHMS),
        },
        "tls_certificate_sds_secret_configs": [_from_file(pair, directory)],
        "validation_context_sds_secret_config": _from_file(trust, directory),
    }


def _from_file(name: str, directory: str) -> dict[str, Any]:
    source = {"path_config_source": {"path": f"{directory}/{name}.json"}, "resource_api_version": "V3"}
    return {"name": name, "sds_config": source}
