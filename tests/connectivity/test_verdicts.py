"""From evidence to findings, by table: what is good, and each way to be wrong."""

import pytest
from tests.conftest import NOW

from bothways.connectivity.evidence import Admission, Caller, CallSeen, DnsSeen, Evidence, Outcome, TcpSeen, VersionSeen
from bothways.connectivity.verdicts import (
    admission_findings,
    dns_findings,
    findings,
    is_pinned,
    node_findings,
    refused_by_http,
    risk,
    tcp_findings,
    version_findings,
)
from bothways.pki.alerts import alert

HOST = "bank.example"
GOOD = DnsSeen(HOST, ("8.8.8.8",), 60)
REFUSED, ANSWERED = Outcome.REFUSED, Outcome.ANSWERED


def refused(caller: Caller, number: int = 48) -> Admission:
    return Admission(caller, REFUSED, "TLSv1.3", alert(number))


def answered(caller: Caller, status: int = 200, *, error: bool = False) -> Admission:
    return Admission(caller, ANSWERED, "TLSv1.3", status=status, certificate_error=error)


HEALTHY = {
    Caller.CURRENT: answered(Caller.CURRENT),
    Caller.FRESH: answered(Caller.FRESH),
    Caller.NOBODY: refused(Caller.NOBODY, 116),
    Caller.FOREIGN: refused(Caller.FOREIGN),
    Caller.EXPIRED: refused(Caller.EXPIRED, 45),
}


def admitted(*changed: Admission) -> list[str]:
    seen = HEALTHY | {each.caller: each for each in changed}
    return [each.id for each in admission_findings(tuple(seen.values()), HOST)]


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ((), []),
        # nginx refuses after the handshake, by HTTP.
        ([answered(each, 400, error=True) for each in (Caller.NOBODY, Caller.FOREIGN, Caller.EXPIRED)], []),
        ([answered(Caller.NOBODY, 403)], []),
        ([Admission(Caller.NOBODY, Outcome.CLOSED)], []),
        # The application answers 403 to the path, to whoever TLS let in.
        ([answered(Caller.CURRENT, 403), answered(Caller.FRESH, 403)], []),
        ([refused(Caller.CURRENT), refused(Caller.FRESH)], ["PROBE-CLIENT-01"]),
        ([answered(Caller.CURRENT, 400, error=True), answered(Caller.FRESH, 400, error=True)], ["PROBE-CLIENT-01"]),
        ([Admission(Caller.CURRENT, Outcome.CLOSED)], ["PROBE-CLIENT-01"]),
        ([refused(Caller.FRESH)], ["PROBE-PIN-01"]),
        ([answered(Caller.NEXT)], []),
        ([refused(Caller.NEXT)], ["PROBE-NEXT-01"]),
        ([refused(Caller.CURRENT), refused(Caller.NEXT)], ["PROBE-CLIENT-01"]),
        ([answered(Caller.FRESH, 403)], ["PROBE-PIN-01"]),
        ([answered(Caller.NOBODY)], ["PROBE-CLIENT-02"]),
        ([answered(each) for each in (Caller.NOBODY, Caller.FOREIGN, Caller.EXPIRED)], ["PROBE-CLIENT-02"]),
        ([answered(Caller.NOBODY, 404)], ["PROBE-CLIENT-02"]),
        ([answered(Caller.FOREIGN)], ["PROBE-CLIENT-03"]),
        ([answered(Caller.EXPIRED)], ["PROBE-CLIENT-04"]),
        ([answered(Caller.FOREIGN), answered(Caller.EXPIRED)], ["PROBE-CLIENT-03", "PROBE-CLIENT-04"]),
        ([answered(each, 403) for each in Caller], ["PROBE-CLIENT-05"]),
        ([Admission(Caller.EXPIRED, Outcome.SILENT)], ["PROBE-CLIENT-05"]),
    ],
)
def test_who_is_let_in_is_judged(changed: list[Admission], found: list[str]) -> None:
    assert admitted(*changed) == found


def test_a_server_that_was_not_knocked_at_has_no_verdict() -> None:
    assert list(admission_findings((), HOST)) == []


def test_a_fresh_certificate_that_could_not_knock_is_no_pin() -> None:
    assert not is_pinned(answered(Caller.CURRENT), Admission(Caller.FRESH, Outcome.UNREACHABLE))
    assert not is_pinned(Admission(Caller.CURRENT, Outcome.SILENT), refused(Caller.FRESH))


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (GOOD, []),
        (DnsSeen(HOST, missing=True), ["PROBE-DNS-01"]),
        (DnsSeen(HOST, failure="SERVFAIL"), ["PROBE-DNS-02"]),
        (DnsSeen(HOST, ("8.8.8.8", "10.0.0.1", "::1"), 60), ["PROBE-DNS-03", "PROBE-DNS-03"]),
        (DnsSeen(HOST, ("8.8.8.8",), 4), ["PROBE-DNS-04"]),
    ],
)
def test_names_are_judged(seen: DnsSeen, found: list[str]) -> None:
    assert [each.id for each in dns_findings(seen, loopback_allowed=False)] == found


def test_loopback_is_good_where_it_is_allowed() -> None:
    assert list(dns_findings(DnsSeen(HOST, ("127.0.0.1",), 60), loopback_allowed=True)) == []


def test_one_address_of_several_that_is_away_is_a_warning() -> None:
    away, silent = TcpSeen("8.8.8.8", 443, "connection refused"), TcpSeen("2a00::1", 443, "nothing", silent=True)
    found = list(tcp_findings((away, silent, TcpSeen("8.8.4.4", 443)), HOST))
    assert [(each.id, each.level.value) for each in found] == [("PROBE-TCP-01", "warning"), ("PROBE-TCP-02", "warning")]
    assert "[2a00::1]:443" in found[1].message
    assert [each.level.value for each in tcp_findings((away,), HOST)] == ["error"]


def versions(*offered: str, **more: object) -> tuple[VersionSeen, ...]:
    every = ("TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3")
    return tuple(VersionSeen(each, offered=each in offered, **({} if each in offered else more)) for each in every)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        (versions("TLS 1.2", "TLS 1.3"), []),
        (versions("TLS 1.2", alert=alert(70)), []),
        (versions("TLS 1.1"), ["PROBE-TLS-01"]),
        (versions("TLS 1.0", "TLS 1.2"), ["PROBE-TLS-02"]),
        (versions(began=b"HTTP/1.1 400"), ["PROBE-TLS-03"]),
        (versions(began=b"220 mail"), ["PROBE-TLS-03"]),
        (versions(failure="nothing was heard in 5 s"), ["PROBE-TLS-04"]),
        (versions(alert=alert(40)), ["PROBE-TLS-05"]),
        ((), []),
    ],
)
def test_versions_are_judged(seen: tuple[VersionSeen, ...], found: list[str]) -> None:
    assert [each.id for each in version_findings(seen, HOST)] == found


def test_everything_is_told_at_once_in_the_order_of_the_stages() -> None:
    admissions = (answered(Caller.CURRENT), refused(Caller.FRESH))
    evidence = Evidence(DnsSeen(HOST, ("8.8.8.8",), 1), (), versions("TLS 1.0", "TLS 1.2"), admissions=admissions)
    found = findings(evidence, (), NOW, loopback_allowed=False)
    assert [each.id for each in found] == ["PROBE-DNS-04", "PROBE-TLS-02", "PROBE-PIN-01"]
    assert risk(found) == f"{found[-1].message} (PROBE-PIN-01)"
    assert risk(found[:2]) == ""


def test_a_server_that_shows_no_certificate_is_told_with_the_reason() -> None:
    evidence = Evidence(GOOD, versions=versions("TLS 1.2"), chain_failure=str(alert(112)))
    [found] = findings(evidence, (), NOW, loopback_allowed=False)
    assert found.id == "PROBE-CHAIN-05"
    assert "unrecognized_name" in found.message


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (400, "<center>The SSL certificate error</center>", True),
        (400, "No required SSL certificate was sent", True),
        (400, "Bad Request", False),
        (200, "How to buy an SSL certificate", False),
    ],
)
def test_a_refusal_over_http_says_that_it_is_about_the_certificate(status: int, body: str, *, refused: bool) -> None:
    assert refused_by_http(status, body) is refused


def test_a_node_whose_call_fails_is_found_unless_nobodys_succeeds() -> None:
    good, bad = CallSeen("own", "answered 200"), CallSeen("own", "refused", failed=True)
    node, away = CallSeen("eu-1", "connection_timeout", failed=True), CallSeen("eu-2", "not asked", away=True)
    [found] = node_findings((good, node, away), HOST)
    assert (found.id, "node eu-1 failed: connection_timeout" in found.message) == ("PROBE-CALL-02", True)
    assert "PROBE-CALL-02" in risk((found,))
    assert [*node_findings((bad, node), HOST)] == []
    assert [*node_findings((good,), HOST)] == []
