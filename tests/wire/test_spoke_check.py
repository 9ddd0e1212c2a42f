"""`spoke check` against a real hub with its Envoy, and real servers of customers: each mistake yields its finding."""

import math
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.conftest import free_ports
from tests.programs import needs
from tests.wire import servers
from tests.wire.conftest import World
from tests.wire.servers import ServerPki

from bothways import files
from bothways.cli.spoke_check import envoy_of
from bothways.operations.certificates import revoke_certificate
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer, resume_customer, suspend_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import contract
from bothways.pki.chain import certificate_pem
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.spoke.check.report import Area, Judge, Outcome, Report
from bothways.spoke.check.run import check
from bothways.spoke.check.through_envoy import MISSING
from bothways.spoke.directory import Spoke
from bothways.store import authorities
from bothways.store.authorities import Role

pytestmark = [
    pytest.mark.envoy,
    needs("nginx"),
]

Run = Callable[[ServerPki], AbstractContextManager[int]]
MUTUAL = "ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate {ca};"
NUMBERS = count(1)


class Desk:
    """A new customer of the running hub, with its spoke, and its server under `NAME.localhost`."""

    def __init__(self, world: World, directory: Path, stack: ExitStack) -> None:
        self.world, self.hub = world, world.hub
        self.directory, self._stack = directory, stack
        self.tsp_id = f"C{next(NUMBERS)}"
        self.host = f"{self.tsp_id.lower()}.localhost"
        add_customer(self.hub, self.tsp_id, CustomerKind.ISSUER, "Bank")
        self.spoke, self.serial = world.certified(self.tsp_id)
        world.apply()

    def serve(self, run: Run, *, endorse: bool = True, **wrong: Any) -> ServerPki:
        pki = servers.make_pki(self.directory, contract(self.hub).trust.client_ca, self.host, **wrong)
        set_endpoint(self.hub, self.tsp_id, f"https://{self.host}:{self._stack.enter_context(run(pki))}")
        if endorse:
            endorse_chain(self.hub, submit_chain(self.hub, self.tsp_id, pki.chain).id)
        self.world.apply()
        return pki

    def check(self, spoke: Spoke | None = None, server: str = "") -> Report:
        return check(spoke or self.spoke, lambda _: None, server, envoy=envoy_of())


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(world, tmp_path, stack)


def nginx(tls: str, **more: str) -> Run:
    return lambda pki: servers.nginx(pki, tls.format(ca=pki.client_ca), **more)


def ids(report: Report) -> list[str]:
    return sorted({each.id for each in report.findings})


def test_from_nothing_to_green_in_both_directions(desk: Desk) -> None:
    first = desk.check()
    assert (first.outcome, ids(first)) == (Outcome.OK, ["CHECK-FLOW-02", "CHECK-SERVER-01"])
    desk.serve(nginx(MUTUAL))
    report = desk.check()
    assert (report.outcome, ids(report)) == (Outcome.OK, []), [str(each) for each in report.findings]
    assert report.probe is not None
    assert report.probe["ok"] is True
    assert {each.level for each in report.steps} == {"ok"}


OWN_SERVER: dict[str, tuple[Run, dict[str, Any], list[str]]] = {
    "no certificate wanted": (nginx("ssl_protocols TLSv1.2 TLSv1.3;"), {}, ["CHECK-SERVER-03", "PROBE-CLIENT-02"]),
    "Client CA not trusted": (
        lambda pki: servers.nginx(pki, f"ssl_verify_client on; ssl_client_certificate {pki.certificate};"),
        {},
        ["PROBE-CALL-01", "PROBE-CLIENT-01"],
    ),
    "another name": (
        nginx(MUTUAL),
        {"names": [x509.DNSName("other.localhost")]},
        ["PROBE-CALL-01", "PROBE-NAME-04"],
    ),
    "expired": (nginx(MUTUAL), {"days": -1}, ["PROBE-CALL-01", "PROBE-DATE-01"]),
    "no intermediate": (nginx(MUTUAL), {"send_intermediate": False}, ["PROBE-CHAIN-03"]),
    "plain HTTP": (nginx("plain"), {}, ["PROBE-CALL-01", "PROBE-TLS-03"]),
    "TLS 1.1": (
        nginx("ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; ssl_verify_client on; ssl_client_certificate {ca};"),
        {},
        ["PROBE-CALL-01", "PROBE-TLS-01"],
    ),
    "no name but the common name": (nginx(MUTUAL), {"names": []}, ["PROBE-CALL-01", "PROBE-NAME-01"]),
    "a key that Envoy does not take": (
        nginx(MUTUAL),
        {"key": ec.generate_private_key(ec.SECP521R1())},
        ["PROBE-CALL-01", "PROBE-KEY-01"],
    ),
    "no common suite": (
        nginx("ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES256-SHA; ssl_verify_client off;"),
        {},
        ["PROBE-CALL-01", "PROBE-TLS-05"],
    ),
    "silence": (lambda _: servers.accepting(lambda _: None), {}, ["PROBE-CALL-01", "PROBE-TLS-04"]),
}


@pytest.mark.parametrize("mistake", OWN_SERVER)
def test_each_mistake_of_our_own_server_yields_its_finding(desk: Desk, mistake: str) -> None:
    run, wrong, wanted = OWN_SERVER[mistake]
    desk.serve(run, **wrong)
    report = desk.check()
    found = [each for each in ids(report) if not each.startswith("CHECK-FLOW")]
    assert found == wanted, [str(each) for each in report.findings]
    assert all(report.explained(each)["command"] and report.explained(each)["cause"] for each in report.findings)


def test_a_server_of_a_ca_that_is_not_endorsed_is_told_and_not_shown_our_certificate(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = servers.make_pki(tmp_path / "other", contract(desk.hub).trust.client_ca, desk.host)
    desk.serve(lambda _: servers.nginx(other, MUTUAL.format(ca=other.client_ca)))
    report = desk.check()
    assert {"PROBE-CHAIN-02", "PROBE-CALL-01"} <= set(ids(report)), [str(each) for each in report.findings]
    assert not any("our own client certificate" in each.said for each in report.steps)


def test_a_server_that_pins_the_hubs_certificate_is_told(desk: Desk) -> None:
    with desk.hub.read() as connection:
        current = authorities.current_credential(connection, Role.CLIENT).certificate
    # As who knows the hub's certificate by its digest, and nginx has SHA-1.
    pinned = current.fingerprint(SHA1()).hex()  # noqa: S303 - as above
    desk.serve(
        nginx(
            "ssl_verify_client optional_no_ca; if ($known = 0) {{ return 403; }}",
            http=f"map $ssl_client_fingerprint $known {{ default 0; {pinned} 1; }}",
        )
    )
    report = desk.check()
    assert [each for each in ids(report) if not each.startswith("CHECK-FLOW")] == ["PROBE-PIN-01"]
    assert {"CHECK-FLOW-03"} <= set(ids(report))


def test_a_server_that_envoy_refuses_and_openssl_does_not_is_found(desk: Desk) -> None:
    desk.serve(nginx(MUTUAL), key=openssl_alone())
    report = desk.check()
    found = [each for each in ids(report) if not each.startswith("CHECK-FLOW")]
    assert found == ["CHECK-ENVOY-02", "PROBE-CALL-01"], [str(each) for each in report.findings]
    [told] = [each for each in report.findings if each.id == "CHECK-ENVOY-02"]
    assert "keys of RSA, P-256 or P-384" in told.hint
    assert report.outcome is Outcome.FAILED


def openssl_alone() -> rsa.RSAPrivateKey:
    """Return a key that OpenSSL takes, and BoringSSL does not: its public exponent has more than 33 bits."""
    made = rsa.generate_private_key(65537, 2048).private_numbers()
    exponent, order = (1 << 40) + 15, math.lcm(made.p - 1, made.q - 1)
    while math.gcd(exponent, order) != 1:
        exponent += 2
    d = pow(exponent, -1, order)
    public = rsa.RSAPublicNumbers(exponent, made.public_numbers.n)
    return rsa.RSAPrivateNumbers(made.p, made.q, d, d % (made.p - 1), d % (made.q - 1), made.iqmp, public).private_key()


def test_a_server_that_is_judged_alike_is_told_once_and_by_whom(desk: Desk) -> None:
    desk.serve(nginx(MUTUAL))
    report = desk.check()
    said = {step.area: step.said for step in report.steps if step.judge is Judge.ENVOY}
    assert said == {Area.INBOUND: "answered: 200", Area.OUTBOUND: "answered: 400"}
    alone = check(desk.spoke, lambda _: None)
    assert (alone.outcome, alone.judges) == (Outcome.OK, (Judge.PYTHON,))
    assert [each.said for each in alone.steps if each.name == "through Envoy"] == [f"not asked: {MISSING}"] * 2


def test_a_server_that_trusts_the_ca_of_customers_is_found(desk: Desk) -> None:
    both = contract(desk.hub).trust
    desk.serve(lambda pki: _trusting(pki, both.issuing_ca + both.client_ca))
    report = desk.check()
    assert [each for each in ids(report) if not each.startswith("CHECK-FLOW")] == ["CHECK-SERVER-05"]
    assert report.outcome is Outcome.FAILED


def test_a_server_that_looks_at_names_and_not_at_keys_is_found_from_here_too(desk: Desk) -> None:
    desk.serve(nginx('ssl_verify_client optional_no_ca; if ($ssl_client_i_dn = "") {{ return 403; }}'))
    assert {"CHECK-SERVER-04", "CHECK-SERVER-05", "PROBE-CLIENT-03"} <= set(ids(desk.check()))


def test_a_server_that_does_not_run_is_told_as_the_hub_sees_it(desk: Desk) -> None:
    [port] = free_ports(1)
    chain = servers.make_pki(desk.directory, "", desk.host).chain
    set_endpoint(desk.hub, desk.tsp_id, f"https://{desk.host}:{port}")
    endorse_chain(desk.hub, submit_chain(desk.hub, desk.tsp_id, chain).id)
    desk.world.apply()
    report = desk.check()
    assert {"CHECK-SERVER-06", "PROBE-TCP-01", "PROBE-CALL-01"} <= set(ids(report))
    assert report.outcome is Outcome.FAILED


def test_a_server_without_an_endorsed_chain_is_told(desk: Desk) -> None:
    desk.serve(nginx(MUTUAL), endorse=False)
    assert ids(desk.check()) == ["CHECK-FLOW-02", "CHECK-SERVER-02"]


def _trusting(pki: ServerPki, authorities: str) -> AbstractContextManager[int]:
    pki.client_ca.write_text(authorities)
    return servers.nginx(pki, MUTUAL.format(ca=pki.client_ca))


def test_a_revoked_certificate_and_a_suspended_customer_are_told_apart(desk: Desk) -> None:
    suspend_customer(desk.hub, desk.tsp_id, "tested")
    desk.world.apply()
    suspended = desk.check()
    assert (suspended.outcome, ids(suspended)) == (Outcome.NOT_AUTHORIZED, ["CHECK-ACCESS-01"])
    resume_customer(desk.hub, desk.tsp_id)
    revoke_certificate(desk.hub, desk.serial, RevocationReason.PRIVILEGE_WITHDRAWN)
    desk.world.apply()
    revoked = desk.check()
    assert (revoked.outcome, ids(revoked)) == (Outcome.NOT_AUTHORIZED, ["CHECK-ALERT-44"])


def test_the_certificate_of_another_ca_is_seen_here_and_refused_there(
    desk: Desk, make_ca: Callable[..., Any], tmp_path: Path
) -> None:
    spoke = with_pair(desk.spoke, tmp_path, make_ca)
    report = desk.check(spoke)
    assert {"INSTALL-03", "INSTALL-04", "CHECK-CN-01", "CHECK-ALERT-48"} <= set(ids(report))


def with_pair(spoke: Spoke, place: Path, make_ca: Callable[..., Any], days: int = 30, **usage: Any) -> Spoke:
    """Return a spoke like this one, with a certificate of another CA, whose certificate is in ca.crt beside it."""
    kinds = usage.get("usage", [ExtendedKeyUsageOID.CLIENT_AUTH])
    ca = make_ca("Somebody")
    key, certificate = make_ca("me", ca, ca=False, days=days, extensions=[x509.ExtendedKeyUsage(kinds)])
    directory = place / "other"
    directory.mkdir()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.write_new(directory / "tls.key", pem, files.PRIVATE)
    files.write_new(directory / "tls.crt", certificate_pem(certificate).encode())
    files.write_new(directory / "ca.crt", certificate_pem(ca[1]).encode())
    files.write_new(directory / "contract.toml", spoke.contract_file.read_bytes())
    return replace(spoke, directory=directory)


def towards(spoke: Spoke, port: int, server_ca: str, host: str = "hub.localhost") -> Spoke:
    """Return the spoke with another hub in its contract."""
    terms = replace(spoke.contract.terms, endpoint=f"https://{host}:{port}")
    trust = replace(spoke.contract.trust, server_ca=server_ca)
    return replace(spoke, contract=replace(spoke.contract, terms=terms, trust=trust))


def version(wanted: ssl.TLSVersion) -> Callable[[ssl.SSLContext], None]:
    def prepare(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = wanted

    return prepare


REFUSALS: dict[str, tuple[dict[str, Any], bool, str]] = {
    "unknown CA": ({}, True, "CHECK-ALERT-48"),
    "expired": ({"days": -2}, False, "CHECK-ALERT-45"),
    "server only": ({"usage": [ExtendedKeyUsageOID.SERVER_AUTH]}, False, "CHECK-ALERT-43"),
}


@pytest.mark.parametrize("tls", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_of_our_certificate_is_told_by_its_alert_in_either_version(
    desk: Desk, make_ca: Callable[..., Any], tmp_path: Path, refusal: str, tls: ssl.TLSVersion
) -> None:
    how, strange, wanted = REFUSALS[refusal]
    spoke = with_pair(desk.spoke, tmp_path, make_ca, **how)
    trusted = certificate_pem(make_ca("Another")[1]) if strange else (spoke.directory / "ca.crt").read_text()
    pki = servers.make_pki(tmp_path, trusted, "hub.localhost")
    with servers.python(pki, version(tls)) as port:
        report = desk.check(towards(spoke, port, pki.root))
    assert [each for each in ids(report) if each.startswith("CHECK-ALERT")] == [wanted]
    assert report.outcome in {Outcome.NOT_AUTHORIZED, Outcome.FAILED}


HUBS: dict[str, tuple[Run, dict[str, Any], str]] = {
    "inspection": (servers.python, {}, "CHECK-HUB-02"),
    "another name": (servers.python, {"names": [x509.DNSName("other.localhost")]}, "CHECK-HUB-03"),
    "expired": (servers.python, {"days": -1}, "CHECK-HUB-04"),
    "plain HTTP": (nginx("plain"), {}, "CHECK-HUB-01"),
    "TLS 1.1": (nginx("ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"), {}, "CHECK-HUB-05"),
}


@pytest.mark.parametrize("hub", HUBS)
def test_whoever_is_not_the_hub_is_told_and_gets_no_request(desk: Desk, tmp_path: Path, hub: str) -> None:
    run, wrong, wanted = HUBS[hub]
    pki = servers.make_pki(tmp_path, desk.spoke.contract.trust.client_ca, "hub.localhost", **wrong)
    trusted = desk.spoke.contract.trust.server_ca if hub == "inspection" else pki.root
    calls: list[bytes] = []
    run = partial(servers.python, calls=calls) if run is servers.python else run
    with run(pki) as port:
        report = desk.check(towards(desk.spoke, port, trusted))
    assert ids(report) == [wanted], [str(each) for each in report.findings]
    assert report.outcome is Outcome.NETWORK
    assert b"".join(calls) == b""


def test_a_hub_that_envoy_refuses_and_openssl_does_not_is_told(desk: Desk, tmp_path: Path) -> None:
    trusted = contract(desk.hub).trust.issuing_ca
    pki = servers.make_pki(tmp_path, trusted, "hub.localhost", key=openssl_alone())
    with servers.python(pki) as port:
        report = desk.check(towards(desk.spoke, port, pki.root))
    assert ids(report) == ["CHECK-ACCESS-03", "CHECK-ENVOY-01"], [str(each) for each in report.findings]
    assert "let in" in next(each.said for each in report.steps if each.name == "our certificate")
    assert report.outcome is Outcome.OK


def test_a_hub_that_does_not_listen_and_one_that_says_nothing(desk: Desk, tmp_path: Path) -> None:
    [port] = free_ports(1)
    assert ids(desk.check(towards(desk.spoke, port, desk.spoke.contract.trust.server_ca))) == ["CHECK-TCP-01"]
    pki = servers.make_pki(tmp_path, "", "hub.localhost")
    with servers.accepting(lambda _: None) as closed:
        report = desk.check(towards(desk.spoke, closed, pki.root))
    assert (ids(report), report.outcome) == (["CHECK-HUB-05"], Outcome.NETWORK)


@pytest.mark.parametrize(("minutes", "outcome"), [(2, Outcome.OK), (10, Outcome.FAILED), (-10, Outcome.FAILED)])
def test_a_clock_that_is_off_is_a_finding_of_its_own(
    desk: Desk, tmp_path: Path, minutes: int, outcome: Outcome
) -> None:
    pki = servers.make_pki(tmp_path, contract(desk.hub).trust.issuing_ca, "hub.localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    date = f"{datetime.now(UTC) - timedelta(minutes=minutes):%a, %d %b %Y %H:%M:%S GMT}"

    def answer(plain: Any) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(4096)
            head = f"HTTP/1.1 404 Not Found\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            secured.sendall(head.encode())

    with servers.accepting(answer) as port:
        report = desk.check(towards(desk.spoke, port, pki.root))
    assert (ids(report), report.outcome) == (["CHECK-ACCESS-03", "CHECK-CLOCK-01"], outcome)
