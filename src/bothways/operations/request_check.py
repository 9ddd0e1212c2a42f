"""A look at a certification request before it is submitted: all that is to be said about it, and nothing stored."""

from typing import Any

from bothways.errors import Refused
from bothways.findings import Finding, errors
from bothways.operations.hub import Hub
from bothways.operations.requests import judge, proved
from bothways.pki.request import CertificationRequest


def check_request(
    hub: Hub, tsp_id: str, data: bytes, subject: str = "request"
) -> tuple[CertificationRequest | None, tuple[Finding, ...]]:
    """Return a request as it was understood, and all that is to be said about it, before anything is submitted.

    Of one that cannot be submitted there is no request. A private key in `data` is banned all the same.
    """
    try:
        parsed = proved(hub, tsp_id, data, subject)
    except Refused as refused:
        return None, refused.findings
    with hub.read() as connection:
        findings = parsed.notes + judge(hub, connection, tsp_id, parsed, subject)
    return (None if errors(findings) else parsed), tuple(dict.fromkeys(findings))


def check_document(hub: Hub, tsp_id: str, data: bytes, subject: str = "request") -> dict[str, Any]:
    """Return the same as the JSON object that API and command line show."""
    parsed, findings = check_request(hub, tsp_id, data, subject)
    return {
        "customer": tsp_id,
        "acceptable": parsed is not None,
        "subject": parsed and parsed.subject.rfc4514_string(),
        "fingerprint": parsed and parsed.fingerprint,
        "spki_pin": parsed and parsed.spki_pin,
        "findings": [each.document() for each in findings],
    }
