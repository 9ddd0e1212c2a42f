"""What is judged of the hub's certificate, and each alert from a peer that means it."""

import ssl
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import SHUT_WR, create_server, socket

import pytest
from cryptography import x509
from tests.conftest import free_ports
from tests.dns_server import DnsServer
from tests.hub_server import hub_server
from tests.wire.servers import ServerPki, accepting, make_pki

from bothways.findings import Level
from bothways.pki.alerts import ALERTS
from bothways.spoke import knock
from bothways.spoke.check.inbound import hub_address, hub_findings
from bothways.spoke.check.names import Stack
from bothways.spoke.check.report import Outcome, Report
from bothways.spoke.check.run import check
from bothways.spoke.directory import Spoke
from bothways.spoke.resolver import Question

Answer = Callable[[socket], None]
PIECE = 1 << 14
BEFORE = (40, 70, 112, 120)
OF_THE_CERTIFICATE = tuple(each.number for each in ALERTS if each.number not in {70, 112, 120})


def ids(spoke: Spoke, chain: tuple[x509.Certificate, ...], host: str = "hub.localhost", days: int = 0) -> list[str]:
    now = datetime.now(UTC) + timedelta(days=days)
    return [each.id for each in hub_findings(chain, "silent", spoke, host, 443, now)]


def test_the_hub_is_known_by_path_name_and_dates_each_told_alone(spoke: Spoke, tmp_path: Path) -> None:
    pki = make_pki(tmp_path, "", "hub.localhost", names=[x509.DNSName("hub.localhost"), x509.DNSName("*.wild.example")])
    chain = tuple(x509.load_pem_x509_certificates(pki.certificate.read_bytes()))
    trusting = replace(spoke, contract=replace(spoke.contract, trust=replace(spoke.contract.trust, server_ca=pki.root)))
    assert ids(trusting, chain) == []
    assert ids(trusting, chain, "api.wild.example") == []
    assert ids(trusting, chain, "other.example") == ["CHECK-HUB-03"]
    assert ids(trusting, chain, days=100) == ["CHECK-HUB-04"]
    assert ids(trusting, chain[:1]) == ["CHECK-HUB-07"]
    assert ids(spoke, chain) == ["CHECK-HUB-02"]
    assert ids(spoke, ()) == ["CHECK-HUB-01"]


def test_the_endpoint_has_a_port_where_none_is_written(spoke: Spoke) -> None:
    terms = replace(spoke.contract.terms, endpoint="https://api.hub.example")
    assert hub_address(replace(spoke, contract=replace(spoke.contract, terms=terms))) == ("api.hub.example", 443)


def record(number: int) -> bytes:
    """A fatal alert, as TLS 1.2 sends it before anything is encrypted (RFC 5246 section 7.2)."""
    return bytes([21, 3, 3, 0, 2, 2, number])


def end(peer: socket, number: int) -> None:
    """Send the alert, and read to the end: what is closed with unread bytes is reset, and the alert lost."""
    with suppress(OSError):
        peer.sendall(record(number))
        peer.shutdown(SHUT_WR)
        while peer.recv(PIECE):
            pass


def at_once(number: int) -> Answer:
    """A peer that answers the ClientHello with the alert."""

    def answer(peer: socket) -> None:
        with suppress(OSError):
            if peer.recv(PIECE):
                end(peer, number)

    return answer


def at_the_certificate(number: int, pki: ServerPki) -> Answer:
    """A TLS 1.2 server that asks for a certificate, and answers it with the alert."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pki.certificate, pki.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pki.client_ca)

    def answer(peer: socket) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        with suppress(OSError):
            while not outgoing.pending:
                if not (heard := peer.recv(PIECE)):
                    return
                incoming.write(heard)
                with suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
            peer.sendall(outgoing.read())
            if peer.recv(PIECE):
                end(peer, number)

    return answer


def towards(spoke: Spoke, port: int, pki: ServerPki, host: str = "hub.localhost") -> Spoke:
    terms = replace(spoke.contract.terms, endpoint=f"https://{host}:{port}")
    trust = replace(spoke.contract.trust, server_ca=pki.root)
    return replace(spoke, contract=replace(spoke.contract, terms=terms, trust=trust))


@pytest.mark.parametrize("number", BEFORE)
def test_an_alert_before_the_certificate_is_a_finding_of_its_own(
    ready_spoke: Spoke, tmp_path: Path, number: int
) -> None:
    pki = make_pki(tmp_path, "", "hub.localhost")
    with accepting(at_once(number)) as port:
        report = check(towards(ready_spoke, port, pki), lambda _: None)
    assert [each.id for each in report.findings] == [f"CHECK-ALERT-{number}"]
    assert report.outcome is (Outcome.NOT_AUTHORIZED if number == 40 else Outcome.NETWORK)
    assert "before it saw our certificate" in report.findings[0].message


@pytest.mark.parametrize("number", OF_THE_CERTIFICATE)
def test_an_alert_because_of_the_certificate_is_a_finding_of_its_own(
    ready_spoke: Spoke, tmp_path: Path, number: int
) -> None:
    pki = make_pki(tmp_path, ready_spoke.contract.trust.issuing_ca, "hub.localhost")
    with accepting(at_the_certificate(number, pki)) as port:
        report = check(towards(ready_spoke, port, pki), lambda _: None)
    assert [each.id for each in report.findings] == [f"CHECK-ALERT-{number}"]
    assert report.outcome is Outcome.NOT_AUTHORIZED
    said = report.explained(report.findings[0])
    assert said["command"]
    assert f"(TLS alert {number}, " in said["message"]


class Elsewhere:
    """A spoke whose hub has a name in a DNS server of ours, under which its addresses are of the test's choice."""

    name = "api.hub.test"

    def __init__(self, spoke: Spoke, place: Path, dns: DnsServer) -> None:
        self.dns, self._question = dns, Question(("127.0.0.1",), dns.port, place / "hosts")
        self.trusted = spoke.contract.trust.issuing_ca
        self.pki = make_pki(place, "", self.name)
        [self.port] = free_ports(1)
        self._spoke = towards(spoke, self.port, self.pki, self.name)

    def check(self, **addresses: str) -> Report:
        self.dns.records = {(self.name, kind): [f"60 {address}"] for kind, address in addresses.items()}
        return check(self._spoke, lambda _: None, question=self._question, stack=Stack())


@pytest.fixture
def elsewhere(ready_spoke: Spoke, tmp_path: Path, dns_server: DnsServer) -> Elsewhere:
    return Elsewhere(ready_spoke, tmp_path, dns_server)


def told(report: Report) -> list[tuple[str, Level]]:
    # That this machine does not know a name of `.test` is not the matter here.
    return [(each.id, each.level) for each in report.findings if each.id not in {"CHECK-DNS-06", "CHECK-ACCESS-03"}]


def test_an_address_that_says_nothing_is_told_from_one_that_refuses(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knock, "PATIENCE", 0.5)
    with create_server(("127.0.0.1", elsewhere.port), backlog=0) as full, ExitStack() as waiting:
        # Nobody takes these; where they wait there is room for no other, and the system says nothing to who comes.
        for _ in range(3):
            line = waiting.enter_context(socket())
            line.setblocking(False)
            with suppress(BlockingIOError):
                line.connect(full.getsockname())
        report = elsewhere.check(A="127.0.0.1")
    assert told(report) == [("CHECK-TCP-02", Level.ERROR)]
    assert report.outcome is Outcome.NETWORK
    assert told(elsewhere.check(A="127.0.0.1")) == [("CHECK-TCP-01", Level.ERROR)]


def test_an_ipv6_address_that_does_not_answer_is_told_and_the_other_is_used(elsewhere: Elsewhere) -> None:
    with hub_server(elsewhere.pki, "127.0.0.1", elsewhere.port, elsewhere.trusted):
        report = elsewhere.check(A="127.0.0.1", AAAA="::1")
    assert told(report) == [("CHECK-TCP-01", Level.WARNING)]
    assert report.outcome is Outcome.OK


def test_a_hub_at_an_ipv6_address_alone_is_reached(elsewhere: Elsewhere) -> None:
    try:
        with hub_server(elsewhere.pki, "::1", elsewhere.port, elsewhere.trusted) as hub:
            report = elsewhere.check(AAAA="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert told(report) == []
    assert hub.requests == 1


def test_an_intermediate_that_the_hub_does_not_send_is_told(elsewhere: Elsewhere, tmp_path: Path) -> None:
    pki = make_pki(tmp_path, "", elsewhere.name, send_intermediate=False)
    with hub_server(pki, "127.0.0.1", elsewhere.port, elsewhere.trusted) as hub:
        report = elsewhere.check(A="127.0.0.1")
    assert told(report) == [("CHECK-HUB-07", Level.ERROR)]
    assert (report.outcome, hub.requests) == (Outcome.NETWORK, 0)
