"""The ways in which a call to a customer fails: how Envoy tells of each, whose matter it is, and what to do.

The words of Envoy 1.40 that are looked for are verified against the real one by `tests/wire/test_egress.py`.
"""

from dataclasses import dataclass
from enum import StrEnum

NOT_CALLED, NOT_LOADED, NO_ADDRESS = "EGRESS-CUSTOMER-02", "EGRESS-HUB-02", "EGRESS-DNS-01"
"""The findings of a call for which Envoy has no route, no cluster, and of one whose cluster has no address."""


class Fault(StrEnum):
    """Whose matter a failed call is."""

    HUB = "hub"
    CALLER = "caller"
    CUSTOMER = "customer"
    DNS = "dns"
    NETWORK = "network"


class Sent(StrEnum):
    """Whether the customer's server can have got the request: only after `no` is it safe to send it again as it is."""

    NO = "no"
    PERHAPS = "perhaps"


@dataclass(frozen=True, slots=True)
class Failure:
    """One way to fail: `when` is a CEL expression on what Envoy saw, `status` what is answered, 0 for Envoy's own."""

    id: str
    when: str
    fault: Fault
    sent: Sent
    status: int
    detail: str
    hint: str


def _reason(*words: str) -> str:
    return " || ".join(f"upstream.transport_failure_reason.contains('{each}')" for each in words)


def _details(*words: str) -> str:
    return " || ".join(f"response.code_details.contains('{each}')" for each in words)


_PROBE = "bothways probe TSPID looks at the server from all sides and names the cause"

FAILURES = (
    Failure(
        "EGRESS-CUSTOMER-01",
        "response.code_details == 'direct_response' && !('bothways-customer' in request.headers)",
        Fault.CALLER,
        Sent.NO,
        404,
        "the request does not say which customer is called: it has no header Bothways-Customer",
        "Set Bothways-Customer to the customer's tspId.",
    ),
    Failure(
        NOT_CALLED,
        "response.code_details == 'direct_response'",
        Fault.HUB,
        Sent.NO,
        404,
        "Bothways-Customer names no customer who is called now: unknown, suspended, without an endpoint or an endorsed "
        "chain, or not proved by a probe",
        "Check the tspId; bothways customer show TSPID says what the outbound flow lacks.",
    ),
    Failure(
        "EGRESS-ADDRESS-01",
        _details("special-address"),
        Fault.DNS,
        Sent.NO,
        403,
        "the host of the customer's server leads to an address that is not on the public internet",
        "Have the customer publish the public address of the server, and no other.",
    ),
    Failure(
        NO_ADDRESS,
        _details("no_healthy_upstream"),
        Fault.DNS,
        Sent.NO,
        503,
        "no address of the customer's server is known: its name does not exist, or DNS does not answer for it",
        f"Look at the customer's DNS; {_PROBE}.",
    ),
    Failure(
        "EGRESS-HUB-03",
        _reason("Secret is not supplied", "Secret_is_not_supplied"),
        Fault.HUB,
        Sent.NO,
        503,
        "the hub's Envoy refuses what it was told of this customer: the endorsed chain, or the certificate to show",
        "bothways hub status has Envoy's words; endorse another chain, or install another certificate.",
    ),
    Failure(
        "EGRESS-TLS-01",
        _reason("certificate_has_expired", "certificate has expired"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the certificate of the customer's server, or one of its chain, has expired",
        "Have the customer install a new certificate; nothing changes at the hub.",
    ),
    Failure(
        "EGRESS-TLS-02",
        _reason("SAN_matcher", "SAN matcher"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the certificate of the customer's server names another host than the endpoint",
        "Have the customer install one whose subjectAltName is exactly the endpoint's host, or correct the endpoint.",
    ),
    Failure(
        "EGRESS-TLS-03",
        _reason("CERTIFICATE_VERIFY_FAILED"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the certificate of the customer's server is not under a chain that is endorsed for this customer",
        "If the customer has a new CA, have its chain submitted and endorsed; if an intermediate is missing, have the "
        "server send it.",
    ),
    Failure(
        "EGRESS-TLS-04",
        _reason("ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the customer's server speaks no TLS 1.2 or newer",
        "Have the customer switch on TLS 1.2 and 1.3.",
    ),
    Failure(
        "EGRESS-TLS-05",
        _reason("WRONG_VERSION_NUMBER", "HTTP_REQUEST"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "what listens at the port of the customer's server speaks no TLS: plain HTTP, most likely",
        "Correct the port of the endpoint, or have the customer serve HTTPS there.",
    ),
    Failure(
        "EGRESS-CLIENT-01",
        _reason("_ALERT_"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the customer's server broke off the handshake with an alert: it does not let the hub's certificate in",
        "Have the customer trust the hub's Client CA, and pin no certificate. The alert is in the member upstream.",
    ),
    Failure(
        "EGRESS-TLS-06",
        _reason("TLS_error"),
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the handshake with the customer's server failed",
        f"What TLS said is in the member upstream; {_PROBE}.",
    ),
    Failure(
        "EGRESS-TCP-01",
        f"{_reason('Connection refused', 'Connection_refused')} || {_details('Connection_refused')}",
        Fault.CUSTOMER,
        Sent.NO,
        502,
        "the customer's server refuses the connection: nothing listens at its port",
        "Have the customer start the server, or correct the port of the endpoint.",
    ),
    Failure(
        "EGRESS-TCP-02",
        _details("connection_timeout"),
        Fault.NETWORK,
        Sent.NO,
        504,
        "the customer's server, or what stands before it, does not answer the connection",
        "Look for a firewall: the hub has no fixed addresses, so a list of allowed ones keeps it out.",
    ),
    Failure(
        "EGRESS-TCP-03",
        _details("connection_failure", "connect_error"),
        Fault.NETWORK,
        Sent.NO,
        502,
        "no connection to the customer's server comes about",
        f"What the network said is in the member upstream; {_PROBE}.",
    ),
    Failure(
        "EGRESS-CLIENT-02",
        f"({_details('connection_termination')}) && upstream.tls_version == 'TLSv1.3'",
        Fault.CUSTOMER,
        Sent.PERHAPS,
        502,
        "the customer's server closed the connection in place of an answer: in TLS 1.3 a server refuses the hub's "
        "certificate in this way; or it ended the connection for another reason",
        f"Before the request is sent again, find out what came of it; {_PROBE}.",
    ),
    Failure(
        "EGRESS-HTTP-01",
        _details("upstream_reset", "connection_termination", "protocol_error", "http1.", "http2."),
        Fault.CUSTOMER,
        Sent.PERHAPS,
        502,
        "the customer's server began and did not answer as HTTP wants it, or closed the connection",
        "Before the request is sent again, find out what came of it; the server's own log says more.",
    ),
    Failure(
        "EGRESS-TIME-01",
        _details("response_timeout", "per_try_timeout", "stream_idle_timeout", "max_duration_timeout"),
        Fault.CUSTOMER,
        Sent.PERHAPS,
        504,
        "the customer's server took the request and did not answer in time",
        "Before the request is sent again, find out what came of it.",
    ),
    Failure(
        NOT_LOADED,
        "response.code_details == 'cluster_not_found'",
        Fault.HUB,
        Sent.NO,
        503,
        "the hub's Envoy does not know this customer's server yet, and its control plane did not tell it in time",
        "Send it again in a moment; if it lasts, bothways hub status says whether the hub runs, and what is refused.",
    ),
    Failure(
        "EGRESS-HUB-01",
        "response.code >= 500",
        Fault.HUB,
        Sent.NO,
        0,
        "the hub's own Envoy could not send the request",
        "Send it again in a moment; if it lasts, look at bothways hub status. Why is in the member reason.",
    ),
    Failure(
        "EGRESS-REQUEST-01",
        "response.code >= 400",
        Fault.CALLER,
        Sent.NO,
        0,
        "the request was refused as it stands, and not sent",
        "Correct it: no escaped slashes in the path, no underscores in header names, headers of 32 KiB at most.",
    ),
)
"""In the order in which they are looked at: what says more comes first."""
