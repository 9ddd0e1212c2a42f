"""Why a request was refused after a good handshake, from what Envoy logged and what is stored: one finding, or none."""

from dataclasses import dataclass

from bothways.connectivity.assess import Assessment
from bothways.connectivity.handshake import expired, revoked
from bothways.connectivity.observation import CertificateOnRecord, RefusedRequest
from bothways.findings import Finding, Level
from bothways.pki.rule import shown
from bothways.registry.flow import Flow
from bothways.registry.service import Service

_DENIED = "rbac_access_denied"
_NO_SERVICE = "direct_response"
_OLD_VERSION, _NO_UPGRADE = "low_version", "upgrade_failed"
# What Envoy's codecs say of a request that they do not read: the caller's matter, whatever the status.
_UNREADABLE = ("http1.", "http2.")
_MISDIRECTED, _NOT_FOUND, _SERVER_ERRORS = 421, 404, 500


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored about a caller when its request is judged: all of it now, a moment after the request.

    `certificate` is None if the one that was used is on no record, `assessment` None if there is no such customer.
    `services` are all of the hub, `granted` the names of this customer's. `shut` tells whether the whole endpoint is.
    """

    host: str
    certificate: CertificateOnRecord | None
    suspended: bool
    assessment: Assessment | None
    services: tuple[Service, ...]
    granted: frozenset[str]
    shut: bool = False


def refusal_finding(refused: RefusedRequest, known: Known) -> Finding:
    """Return why the request was refused. Total: what is not known is said as it was logged."""
    if refused.status == _MISDIRECTED:
        message = f"the request is for the host {shown(refused.host)}; {known.host} alone is served"
        return _finding("INBOUND-NAME-03", message, f"Send the host name {known.host}.", "RFC 9110 section 15.5.20")
    if refused.details.startswith(_DENIED):
        return _denied(refused, known)
    if refused.status == _NOT_FOUND and refused.details == _NO_SERVICE:
        return _finding(
            "INBOUND-ACCESS-05",
            f"no service stands at {shown(refused.path)}",
            "Check the path: it begins with the prefix of a service, in small and capital letters as agreed.",
            "R3",
        )
    # Behind the brace stands what concerns the hub's inside alone.
    said = shown(refused.details.partition("{")[0].replace("_", " ").replace(".", ": "))
    if refused.status >= _SERVER_ERRORS and not refused.details.startswith(_UNREADABLE):
        return _finding(
            "INBOUND-SERVICE-01",
            f"the hub's own service at {shown(refused.path)} did not answer as it should ({refused.status}): {said}",
            "Try again later, and tell the hub's operator if it lasts: nothing is wrong on the caller's side.",
            "RFC 9110 section 15.6",
        )
    return _request(refused, said)


def _request(refused: RefusedRequest, said: str) -> Finding:
    if refused.details == _OLD_VERSION:
        return _finding(
            "INBOUND-REQUEST-02",
            f"the request is not of HTTP/1.1 or HTTP/2 ({refused.status})",
            "Have the client speak HTTP/1.1: nginx does by proxy_http_version 1.1, and ab never does.",
            "RFC 9110 section 15.5.22",
        )
    if refused.details == _NO_UPGRADE:
        return _finding(
            "INBOUND-REQUEST-03",
            f"an upgrade, such as to WebSocket, was asked for at {shown(refused.path)}, and none is served there",
            "Open WebSockets at a service that has them, over HTTP/1.1; the hub's operator says which.",
            "RFC 9110 section 7.8",
        )
    return _finding(
        "INBOUND-REQUEST-01",
        f"the request was refused as it stands ({refused.status}): {said}",
        "Correct the request: one host, one length or chunks, no escaped slashes in the path, no underscores in header "
        "names, headers of 32 KiB at most.",
        "RFC 9110 section 15.5",
    )


def _denied(refused: RefusedRequest, known: Known) -> Finding:
    certificate = known.certificate
    if known.shut:
        return _finding(
            "INBOUND-ACCESS-06",
            "the hub's operator has the endpoint shut for everybody",
            "Wait until it is open again: nothing is wrong on the caller's side.",
            "R1",
        )
    if certificate is None or known.assessment is None:
        return _finding(
            "INBOUND-CERTIFICATE-08",
            "the certificate is signed by the hub's CA and on no record: its customer was removed, or the hub was "
            "restored from an older backup",
            "Ask the hub's operator; a new request (CSR) gives a certificate that is on record.",
            "R4, R6",
        )
    if certificate.revoked_at is not None:
        return revoked(certificate)
    if certificate.not_after <= refused.at:
        return expired(certificate.not_after)
    if known.suspended:
        return _finding(
            "INBOUND-ACCESS-01",
            "the customer is suspended: nothing passes in either direction",
            "Ask the hub's operator why, and when it will be resumed.",
            "R4",
        )
    return _closed(refused, known, known.assessment)


def _closed(refused: RefusedRequest, known: Known, assessment: Assessment) -> Finding:
    service = next((each for each in known.services if _stands_at(each, refused.path)), None)
    if service and service.name not in known.granted:
        return _finding(
            "INBOUND-ACCESS-02",
            f"the service {service.name} is not granted to this customer",
            "Ask the hub's operator to grant it, if it was agreed.",
            "R2",
        )
    if service and (missing := service.needs - assessment.open_flows):
        flows = {Flow.INBOUND: assessment.inbound, Flow.OUTBOUND: assessment.outbound}
        lacks = "; ".join(f"{flow.value}: {flows[flow].reason}" for flow in sorted(missing))
        return _finding(
            "INBOUND-ACCESS-03",
            f"the service {service.name} is granted, and a flow that it needs is not established ({lacks})",
            "Do what the flow lacks; GET /connectivity tells it at any time, and opens the inbound flow.",
            "R2",
        )
    message = f"the request for {shown(refused.path)} was refused, and nothing stands in its way any more"
    hint = "Try again; tell the hub's operator if it is still refused."
    return _finding("INBOUND-ACCESS-04", message, hint, "R2", Level.INFO)


def _stands_at(service: Service, path: str) -> bool:
    return path == service.prefix or path.startswith(f"{service.prefix}/")


def _finding(id_: str, message: str, hint: str, citation: str, level: Level = Level.ERROR) -> Finding:
    return Finding(id_, message, hint, citation, level=level)
