"""The probe against real servers in the customer's role: each mistake yields exactly its findings."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.conftest import local_settings
from tests.dns_server import DnsServer
from tests.programs import needs
from tests.wire import servers
from tests.wire.conftest import World
from tests.wire.servers import ServerPki, key_usage

from bothways.connectivity.evidence import Caller, admission
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer, show_customer
from bothways.operations.endpoints import list_probes, set_endpoint
from bothways.operations.hub import contract
from bothways.operations.rotation import rotate_client_certificate
from bothways.operations.settings import Settings
from bothways.outbound.probe import Probe, probe_customer
from bothways.registry.customer import CustomerKind
from bothways.spoke.resolver import Question
from bothways.store import authorities
from bothways.store.authorities import Role

pytestmark = [
    pytest.mark.envoy,
    needs("nginx"),
]

Run = Callable[[ServerPki], AbstractContextManager[int]]
MUTUAL = "ssl_verify_client on; ssl_client_certificate {ca};"
GOOD = f"ssl_protocols TLSv1.2 TLSv1.3; {MUTUAL}"
NUMBERS = count(1)
NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: dates are not looked at."""


class Bench:
    """Customers of one running hub, each with a server of its own under `NAME.localhost`."""

    def __init__(self, world: World, directory: Path, stack: ExitStack) -> None:
        self.world, self.hub = world, world.hub
        self._directory, self._stack = directory, stack
        self.tsp_id = f"P{next(NUMBERS)}"
        self.host = f"{self.tsp_id.lower()}.localhost"
        add_customer(self.hub, self.tsp_id, CustomerKind.ISSUER, "Bank")

    def pki(self, **wrong: Any) -> ServerPki:
        return servers.make_pki(self._directory, contract(self.hub).trust.client_ca, self.host, **wrong)

    def running(self, run: Run, pki: ServerPki) -> int:
        return self._stack.enter_context(run(pki))

    def endorse(self, pki: ServerPki, port: int, chain: bytes = b"", host: str = "") -> None:
        set_endpoint(self.hub, self.tsp_id, f"https://{host or self.host}:{port}")
        endorse_chain(self.hub, submit_chain(self.hub, self.tsp_id, chain or pki.chain).id)
        self.world.apply()

    def probed(self, run: Run, **wrong: Any) -> Probe:
        pki = self.pki(**wrong)
        self.endorse(pki, self.running(run, pki))
        return probe_customer(self.hub, self.tsp_id)

    @property
    def state(self) -> str:
        return show_customer(self.hub, self.tsp_id).assessment.outbound.state.value


@pytest.fixture
def bench(world: World, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(world, tmp_path, stack)


def ids(probe: Probe) -> list[str]:
    return [each.id for each in probe.findings]


def nginx(tls: str, **more: str) -> Run:
    return lambda pki: servers.nginx(pki, tls.format(ca=pki.client_ca), **more)


def message(probe: Probe, ident: str) -> str:
    return next(str(each) for each in probe.findings if each.id == ident)


@pytest.mark.parametrize(
    "run",
    [nginx(GOOD), servers.s_server, servers.envoy, servers.python],
    ids=["nginx", "openssl", "envoy", "python"],
)
def test_a_healthy_server_yields_no_finding_and_is_established(bench: Bench, run: Run) -> None:
    probe = bench.probed(run)
    assert (probe.fact.ok, ids(probe)) == (True, []), [str(each) for each in probe.findings]
    assert bench.state == "established"
    offered = [each.version for each in probe.evidence.versions if each.offered]
    assert offered[-1] == "TLS 1.3"
    assert len(probe.evidence.chain) == 2
    [stored] = list_probes(bench.hub, bench.tsp_id)
    assert stored.document() == probe.document()


def test_a_server_that_pins_is_found_before_a_rotation_breaks_it(bench: Bench) -> None:
    pki = bench.pki()
    with bench.hub.read() as connection:
        current = authorities.current_credential(connection, Role.CLIENT).certificate
    # nginx knows certificates by their SHA-1, and so would who pins.
    pinned = current.fingerprint(SHA1()).hex()  # noqa: S303 - as above
    run = nginx(
        "ssl_verify_client optional_no_ca; if ($known = 0) {{ return 403; }}",
        http=f"map $ssl_client_fingerprint $known {{ default 0; {pinned} 1; }}",
    )
    bench.endorse(pki, bench.running(run, pki))
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (True, ["PROBE-PIN-01"])
    assert bench.state == "at risk"
    # It is as was said: after the rotation, nobody gets in.
    rotate_client_certificate(bench.hub)
    bench.world.apply()
    after = probe_customer(bench.hub, bench.tsp_id)
    assert ids(after)[0] != "PROBE-PIN-01"


def test_a_server_that_lets_in_anybody_is_at_risk_and_stays_open(bench: Bench) -> None:
    probe = bench.probed(nginx("ssl_verify_client off;"))
    assert (probe.fact.ok, ids(probe)) == (True, ["PROBE-CLIENT-02"])
    outbound = show_customer(bench.hub, bench.tsp_id).assessment.outbound
    assert (outbound.state.value, outbound.open) == ("at risk", True)
    assert "PROBE-CLIENT-02" in outbound.reason


def test_a_server_that_looks_at_names_and_not_at_keys_is_found(bench: Bench) -> None:
    run = nginx('ssl_verify_client optional_no_ca; if ($ssl_client_i_dn = "") {{ return 403; }}')
    assert ids(bench.probed(run)) == ["PROBE-CLIENT-03"]


def test_a_server_that_looks_at_no_dates_is_found(bench: Bench) -> None:
    def careless(context: ssl.SSLContext) -> None:
        context.verify_flags |= NO_CHECK_TIME

    assert ids(bench.probed(partial(servers.python, prepare=careless))) == ["PROBE-CLIENT-04"]


def test_a_refusal_of_tls_1_3_that_comes_late_is_read_and_named(bench: Bench) -> None:
    def other(context: ssl.SSLContext) -> None:
        context.minimum_version = ssl.TLSVersion.TLSv1_3

    pki = bench.pki()
    pki.client_ca.write_text(pki.root)
    bench.endorse(pki, bench.running(partial(servers.python, prepare=other), pki))
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (False, ["PROBE-CLIENT-01", "PROBE-CALL-01"])
    current = admission(probe.evidence.admissions, Caller.CURRENT)
    assert current is not None
    assert (current.version, current.alert and current.alert.number) == ("TLSv1.3", 48)
    assert "unknown_ca" in message(probe, "PROBE-CLIENT-01")
    assert bench.state == "broken"


def test_nginx_refuses_by_http_and_that_establishes_nothing(bench: Bench) -> None:
    pki = bench.pki()
    pki.client_ca.write_text(pki.root)
    bench.endorse(pki, bench.running(nginx(GOOD), pki))
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (False, ["PROBE-CLIENT-01", "PROBE-CALL-01"])
    assert probe.fact.seen == "the server refuses the hub's certificate, over HTTP with 400"


def test_a_server_that_answers_everybody_with_the_same_refusal_tells_nothing(bench: Bench) -> None:
    probe = bench.probed(nginx("ssl_verify_client off;", location="return 403;"))
    assert (probe.fact.ok, ids(probe)) == (True, ["PROBE-CLIENT-05"])


@pytest.mark.parametrize(
    "extension",
    [
        x509.NameConstraints(None, [x509.DNSName("localhost")]),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
        x509.KeyUsage(True, False, False, False, False, False, False, False, False),
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"),
    ],
    ids=["name constraints", "not for servers", "may not sign", "critical and unknown"],
)
def test_a_ca_that_does_not_vouch_for_the_server_is_named_and_envoy_does_not_believe_it(
    bench: Bench, extension: x509.ExtensionType
) -> None:
    pki = bench.pki(middle_has=[extension])
    bench.endorse(pki, bench.running(nginx(GOOD), pki), pki.root.encode())
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (False, ["PROBE-CHAIN-06", "PROBE-CALL-01"])
    assert "CN=Bank TLS, which issued" in message(probe, "PROBE-CHAIN-06")
    assert "CERTIFICATE_VERIFY_FAILED" in probe.fact.seen
    assert probe.evidence.admissions == ()


def test_a_chain_of_another_ca_gets_neither_request_nor_certificate(bench: Bench, tmp_path: Path) -> None:
    calls: list[bytes] = []
    pki = bench.pki()
    (tmp_path / "other").mkdir()
    other = servers.make_pki(tmp_path / "other", "", bench.host)
    bench.endorse(pki, bench.running(partial(servers.python, calls=calls), pki), other.chain)
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (False, ["PROBE-CHAIN-02", "PROBE-CALL-01"])
    assert (probe.evidence.admissions, calls) == ((), [])


@pytest.mark.parametrize(
    ("names", "found", "ok"),
    [
        ([], ["PROBE-NAME-01", "PROBE-CALL-01"], False),
        ([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))], ["PROBE-NAME-03", "PROBE-CALL-01"], False),
        ([x509.DNSName("elsewhere.localhost")], ["PROBE-NAME-04", "PROBE-CALL-01"], False),
        ([x509.DNSName("*.localhost")], ["PROBE-NAME-02"], True),
    ],
    ids=["common name alone", "address alone", "another host", "wildcard"],
)
def test_another_name_is_found_and_the_wanted_one_is_printed(
    bench: Bench, names: list[x509.GeneralName], found: list[str], *, ok: bool
) -> None:
    probe = bench.probed(nginx(GOOD), names=names)
    assert (probe.fact.ok, ids(probe)) == (ok, found)
    assert f"DNS:{bench.host}" in probe.findings[0].hint


@pytest.mark.parametrize(
    ("wrong", "found", "ok"),
    [
        ({"days": -1}, ["PROBE-DATE-01", "PROBE-CALL-01"], False),
        ({"days": 10}, ["PROBE-DATE-03"], True),
        ({"key": ec.generate_private_key(ec.SECP521R1())}, ["PROBE-KEY-01", "PROBE-CALL-01"], False),
        ({"key": ed25519.Ed25519PrivateKey.generate()}, ["PROBE-KEY-01", "PROBE-CALL-01"], False),
        ({"has": [key_usage(key_agreement=True)]}, ["PROBE-KEY-04", "PROBE-CALL-01"], False),
        (
            {"key": rsa.generate_private_key(65537, 2048), "has": [key_usage(key_encipherment=True)]},
            ["PROBE-KEY-04", "PROBE-CALL-01"],
            False,
        ),
    ],
    ids=["expired", "expiring", "P-521", "Ed25519", "ECDSA that may not sign", "RSA that may not sign"],
)
def test_dates_and_keys_are_judged_as_envoy_does(
    bench: Bench, wrong: dict[str, Any], found: list[str], *, ok: bool
) -> None:
    probe = bench.probed(nginx(GOOD), **wrong)
    assert (probe.fact.ok, ids(probe)) == (ok, found)


@pytest.mark.parametrize(
    ("tls", "found", "ok"),
    [
        ("ssl_protocols TLSv1.1;", ["PROBE-TLS-01", "PROBE-CALL-01"], False),
        ("ssl_protocols TLSv1 TLSv1.1 TLSv1.2;", ["PROBE-TLS-02"], True),
        ("plain", ["PROBE-TLS-03", "PROBE-CALL-01"], False),
    ],
    ids=["1.1 alone", "1.0 to 1.2", "plain HTTP"],
)
def test_versions_are_told_apart(bench: Bench, tls: str, found: list[str], *, ok: bool) -> None:
    old = "" if tls == "plain" else f" ssl_ciphers ALL:@SECLEVEL=0; {MUTUAL}"
    probe = bench.probed(nginx(tls + old))
    assert (probe.fact.ok, ids(probe)) == (ok, found)


def test_a_port_that_is_silent_and_one_that_is_shut(bench: Bench) -> None:
    pki = bench.pki()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        bench.endorse(pki, port)
        assert ids(probe_customer(bench.hub, bench.tsp_id)) == ["PROBE-TLS-04", "PROBE-CALL-01"]
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert ids(probe) == ["PROBE-TCP-01", "PROBE-CALL-01"]
    assert "connection refused" in message(probe, "PROBE-TCP-01")


def test_names_that_dns_does_not_have_or_that_lead_inside(bench: Bench, dns_server: DnsServer, tmp_path: Path) -> None:
    pki, ask = bench.pki(), Question(("127.0.0.1",), dns_server.port, tmp_path / "hosts").ask
    bench.endorse(pki, 443, host="bank.test")
    assert ids(probe_customer(bench.hub, bench.tsp_id, ask=ask)) == ["PROBE-DNS-01", "PROBE-CALL-01"]
    dns_server.records = {("bank.test", "CNAME"): ["60 inside.test"], ("inside.test", "A"): ["60 10.1.2.3"]}
    probe = probe_customer(bench.hub, bench.tsp_id, ask=ask)
    assert ids(probe) == ["PROBE-DNS-03", "PROBE-CALL-01"]
    assert "10.1.2.3 (by way of inside.test), of 10.0.0.0/8" in message(probe, "PROBE-DNS-03")
    assert probe.evidence.tcp == ()
    dns_server.mode = "SERVFAIL"
    assert ids(probe_customer(bench.hub, bench.tsp_id, ask=ask)) == ["PROBE-DNS-02", "PROBE-CALL-01"]


def test_a_registered_server_is_probed_without_anybody_asking(
    make_running: Callable[[Settings], World], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        bench = Bench(make_running(replace(local_settings(), scheduled_probes=True)), tmp_path, stack)
        pki = bench.pki()
        bench.endorse(pki, bench.running(servers.python, pki))
        deadline = time.monotonic() + 60
        while bench.state != "established":
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert len(list_probes(bench.hub, bench.tsp_id)) == 1


def test_a_name_that_leads_to_loopback_is_connected_to_by_nobody(
    make_running: Callable[[Settings], World], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        bench = Bench(make_running(replace(local_settings(), danger_outbound_loopback=False)), tmp_path, stack)
        probe = bench.probed(servers.python)
    assert ids(probe) == ["PROBE-DNS-03", "PROBE-CALL-01"]
    assert (probe.evidence.tcp, "special-address" in probe.fact.seen) == ((), True)
    # Envoy's name for it is for who runs the hub; the customer reads the sentence.
    assert "leads to an address that is not on the public internet" in probe.fact.seen
