"""From a contract to TOML text. `parse_contract(render_contract(c)) == c`, always."""

import tomllib
from typing import Any

import tomli_w

from bothways.contract.document import FORMAT, Contract, RequestTerms, Software, Terms


def render_contract(contract: Contract) -> str:
    """Return the published contract as TOML text."""
    return _render(contract_document(contract))


def contract_document(contract: Contract) -> dict[str, Any]:
    """Return the published contract as the values of the document, table by table."""
    trust = contract.trust
    trusted = {"issuing_ca": trust.issuing_ca, "client_ca": trust.client_ca, "server_ca": trust.server_ca}
    return _document(contract.terms) | {"trust": trusted | {"bundle_pin": trust.bundle_pin}}


def render_terms(terms: Terms) -> str:
    """Return the terms as TOML text, as a hub's own directory holds them."""
    return _render(_document(terms))


def _render(document: dict[str, Any]) -> str:
    text = tomli_w.dumps(document, multiline_strings=True)
    # Multi-line strings read well, but the writer makes CR LF in them LF.
    return text if tomllib.loads(text) == document else tomli_w.dumps(document)


def _document(terms: Terms) -> dict[str, Any]:
    request, ours = terms.request, RequestTerms()
    # Said only where they are not as always: earlier readers do not know them.
    markers = {"ecdsa_marker": request.ecdsa_marker, "rsa_marker": request.rsa_marker}
    markers = {name: value for name, value in markers.items() if value != getattr(ours, name)}
    software = {} if terms.software is Software.BOTHWAYS else {"software": terms.software.value}
    return {
        "format": FORMAT,
        "hub": {
            "environment": terms.environment.value,
            "domain": terms.hub,
            "endpoint": terms.endpoint,
            "portal": terms.portal,
            **software,
        },
        "request": {
            "common_name": terms.request.common_name,
            "keys": [each.value for each in terms.request.keys],
            "digest": terms.request.digest,
            "subject": list(terms.request.subject),
            **markers,
        },
        "certificate": {
            "validity_days": terms.certificate.validity_days,
            "overlap_days": terms.certificate.overlap_days,
        },
        "outbound": {"ports": list(terms.outbound.ports), "probe_path": terms.outbound.probe_path},
        "tls": {"versions": list(terms.tls.versions)},
    }
