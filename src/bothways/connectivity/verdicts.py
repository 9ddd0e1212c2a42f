"""What follows from what a probe saw: one function per stage, from evidence to findings. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509

from bothways.connectivity.evidence import (
    Admission,
    Caller,
    CallSeen,
    DnsSeen,
    Evidence,
    Outcome,
    TcpSeen,
    VersionSeen,
    admission,
)
from bothways.errors import Refused
from bothways.findings import Finding, Level
from bothways.pki.path import certification_path
from bothways.registry.addresses import refused_range

TTL_LEAST = 5.0
"""Seconds: an answer that holds shorter is asked for more often than every connection is worth."""

RISKS = frozenset({"PROBE-PIN-01", "PROBE-CLIENT-02", "PROBE-CLIENT-03", "PROBE-CLIENT-04", "PROBE-CALL-02"})
"""Findings under which a flow that is proved is at risk.

The next rotation breaks it, R1 does not hold there, or a node's calls fail.
"""

_REFUSING = frozenset({400, 401, 403, 495, 496})
"""HTTP statuses by which servers refuse a certificate after the handshake; nginx makes 495 and 496 a 400."""

_MUTUAL = "R1"
_OLD = ("TLS 1.0", "TLS 1.1")
_STRANGERS = {
    Caller.NOBODY: "callers without a certificate",
    Caller.FOREIGN: "a certificate of any CA that has our CA's name",
    Caller.EXPIRED: "an expired certificate",
}


def findings(
    evidence: Evidence, anchors: Sequence[x509.Certificate], now: datetime, *, loopback_allowed: bool
) -> tuple[Finding, ...]:
    """Return all that follows from the evidence, in the order of the stages."""
    host = evidence.dns.host
    found = [*dns_findings(evidence.dns, loopback_allowed=loopback_allowed), *tcp_findings(evidence.tcp, host)]
    found += version_findings(evidence.versions, host)
    if evidence.chain:
        found += path_findings(evidence.chain, anchors, host, now)
    elif evidence.chain_failure:
        message = f"the server speaks TLS, and no certificate of it was seen: {evidence.chain_failure}"
        hint = f"Have it present a certificate for {host}, X.509 in DER, with a key of RSA or ECDSA."
        found.append(_finding("PROBE-CHAIN-05", message, hint, host))
    return (*found, *admission_findings(evidence.admissions, host))


def path_findings(
    sent: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], host: str, now: datetime
) -> tuple[Finding, ...]:
    """Return what is wrong with a chain as it was sent, on its way to one of the anchors; all at once."""
    try:
        return certification_path(sent, anchors, host, now).notes
    except Refused as refused:
        return refused.findings


def dns_findings(seen: DnsSeen, *, loopback_allowed: bool) -> Iterator[Finding]:
    """Yield what is wrong with the host's addresses."""
    if seen.missing:
        message = f"the name {seen.host} does not exist in DNS, or has no address"
        yield _finding("PROBE-DNS-01", message, "Publish an A or AAAA record, or correct the endpoint.", seen.host)
    elif seen.failure:
        hint = "Look at the domain's name servers; other customers' names tell whether the hub's own resolver works."
        yield _finding("PROBE-DNS-02", f"DNS does not answer for {seen.host}: {seen.failure}", hint, seen.host)
    for each in seen.addresses:
        if refused := refused_range(each, loopback_allowed=loopback_allowed):
            way = f" (by way of {', '.join(seen.aliases)})" if seen.aliases else ""
            message = f"{seen.host} has the address {each}{way}, of {refused}, which is not on the public internet"
            hint = "Publish the public address of the server, and no other; the hub connects to no special address."
            yield _finding("PROBE-DNS-03", message, hint, seen.host)
    if seen.addresses and seen.ttl < TTL_LEAST:
        message = f"the addresses hold for {seen.ttl:.0f} s; {TTL_LEAST:.0f} s or more are wanted"
        yield _finding("PROBE-DNS-04", message, "Set a TTL of a minute or so.", seen.host, Level.WARNING)


def tcp_findings(seen: Sequence[TcpSeen], host: str) -> Iterator[Finding]:
    """Yield which addresses take no connection; that is an error if none does."""
    some = any(not each.failure for each in seen)
    for each in seen:
        if each.failure:
            ident = "PROBE-TCP-02" if each.silent else "PROBE-TCP-01"
            where = f"[{each.address}]:{each.port}" if ":" in each.address else f"{each.address}:{each.port}"
            message = f"{where} takes no connection: {each.failure}"
            hint = (
                "Let connections to this port through; the hub has no fixed addresses, so an allow-list cannot work."
                if each.silent
                else "Start the server there, or correct the endpoint or the DNS record."
            )
            yield _finding(ident, message, hint, host, Level.WARNING if some else Level.ERROR)


def version_findings(seen: Sequence[VersionSeen], host: str) -> Iterator[Finding]:
    """Yield what is wrong with the versions of TLS: no good one, or old ones besides."""
    offered = [each.version for each in seen if each.offered]
    began = next((each.began for each in seen if each.began), b"")
    if old := [each for each in offered if each in _OLD]:
        only = len(old) == len(offered)
        message = f"the server {'offers nothing but' if only else 'also offers'} {', '.join(old)}"
        hint = "Let it offer TLS 1.2 and 1.3 alone."
        level = Level.ERROR if only else Level.WARNING
        yield _finding("PROBE-TLS-01" if only else "PROBE-TLS-02", message, hint, host, level, "RFC 8996; R11")
    elif seen and not offered and began:
        what = "speaks plain HTTP" if began.startswith((b"HTTP/", b"<")) else f"answers {began!r}"
        message = f"the port {what}, and no TLS"
        yield _finding("PROBE-TLS-03", message, "Name the port of TLS in the endpoint.", host)
    elif seen and not offered and all(each.failure for each in seen):
        message = f"the port takes connections and says nothing to TLS: {seen[-1].failure}"
        yield _finding("PROBE-TLS-04", message, "Look at what listens there, and at firewalls before it.", host)
    elif seen and not offered:
        said = "; ".join(dict.fromkeys(f"{each.version}: {each.alert or each.failure}" for each in seen[-2:]))
        message = f"the server takes neither TLS 1.2 nor 1.3 ({said})"
        hint = "Let it offer both, with an ECDHE suite with AES-GCM, for the host name of the endpoint."
        yield _finding("PROBE-TLS-05", message, hint, host)


def admission_findings(seen: Sequence[Admission], host: str) -> Iterator[Finding]:
    """Yield who is let in and must not be, or the other way round."""
    current, fresh = admission(seen, Caller.CURRENT), admission(seen, Caller.FRESH)
    if current is None:
        return
    inside = [each for each in seen if each.caller in _STRANGERS and let_in(each)]
    if refuses(current):
        hint = "Have the server trust the Client CA of the contract, and verify client certificates against it alone."
        yield _finding("PROBE-CLIENT-01", f"the hub's certificate is not let in: {current}", hint, host, cite="R12")
    elif fresh is not None and is_pinned(current, fresh):
        message = f"the server lets the hub's current certificate in and not a fresh one of the same CA: {fresh}"
        hint = "Trust the Client CA and pin no certificate: the hub renews its own without notice, and calls would end."
        yield _finding("PROBE-PIN-01", message, hint, host, cite="R15")
    following = admission(seen, Caller.NEXT)
    if following is not None and is_pinned(current, following):
        message = f"the server does not let in a certificate of the hub's next Client CA yet: {following}"
        hint = "Take the contract again, and trust the new Client CA in it beside the one before."
        yield _finding("PROBE-NEXT-01", message, hint, host, Level.WARNING, "R12")
    if any(each.caller is Caller.NOBODY for each in inside):
        message = f"the server lets in {'; '.join(_STRANGERS[each.caller] for each in inside)}"
        hint = "Have it require a client certificate under the Client CA of the contract."
        yield _finding("PROBE-CLIENT-02", message, hint, host, cite=_MUTUAL)
    else:
        for each in inside:
            ident = "PROBE-CLIENT-03" if each.caller is Caller.FOREIGN else "PROBE-CLIENT-04"
            message = f"the server lets in {_STRANGERS[each.caller]}"
            hint = "Have it verify the whole path of client certificates, to the CA's key and with their dates."
            yield _finding(ident, message, hint, host, cite=_MUTUAL)
    if unclear := [each for each in seen if each.caller in _STRANGERS and _unclear(each, current)]:
        message = f"whether these are let in could not be told: {'; '.join(each.caller.value for each in unclear)}"
        hint = "Let the probe's path (outbound.probe_path of the contract) answer the hub with 200 or 404."
        yield _finding("PROBE-CLIENT-05", f"{message} ({unclear[0]})", hint, host, Level.WARNING, _MUTUAL)


def node_findings(calls: Sequence[CallSeen], host: str) -> Iterator[Finding]:
    """Yield the remote nodes whose calls fail, though the first of the calls, through the hub's own Envoy, did not."""
    own, *others = calls
    for each in others:
        if each.failed and not own.failed:
            message = f"the request through node {each.node} failed: {each.said}; through {own.node} it did not"
            hint = (
                "Who runs the hub looks at the way from that node to the server (routes, DNS, firewalls), and at what "
                "the hub's status says of the node."
            )
            yield _finding("PROBE-CALL-02", message, hint, host, cite="R2")


def refuses(seen: Admission) -> bool:
    """Tell whether our own certificate is refused. An HTTP status alone says so only with its words: it may be ours."""
    return seen.outcome in {Outcome.REFUSED, Outcome.CLOSED} or seen.certificate_error


def is_pinned(current: Admission, fresh: Admission) -> bool:
    """Tell whether the server takes our current certificate for more than one of the Client CA (R15)."""
    less = refuses(fresh) or (fresh.status in _REFUSING and fresh.status != current.status)
    return current.outcome is Outcome.ANSWERED and less


def let_in(seen: Admission) -> bool:
    """Tell whether a stranger is let in: answered, and not with a status that refuses."""
    return seen.outcome is Outcome.ANSWERED and not seen.certificate_error and seen.status not in _REFUSING


def refused_by_http(status: int, body: str) -> bool:
    """Tell whether an HTTP answer refuses the certificate in words, as nginx does it after the handshake."""
    return status in _REFUSING and "SSL certificate" in body


def risk(found: Sequence[Finding]) -> str:
    """Return why a flow that is proved is at risk, in one sentence; empty if it is not."""
    return "; ".join(f"{each.message} ({each.id})" for each in found if each.id in RISKS)


def _unclear(seen: Admission, current: Admission) -> bool:
    if seen.outcome in {Outcome.SILENT, Outcome.UNREACHABLE}:
        return True
    answered = seen.outcome is Outcome.ANSWERED and not seen.certificate_error
    return answered and seen.status in _REFUSING and seen.status == current.status


def _finding(
    id: str,  # noqa: A002 - as in Finding
    message: str,
    hint: str,
    host: str,
    level: Level = Level.ERROR,
    cite: str = "R11",
) -> Finding:
    return Finding(id, message, hint, cite, host, level)
