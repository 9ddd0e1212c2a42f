"""The mistakes that customers make most, each made by every kind of server that can make it."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from tests.programs import needs
from tests.wire import servers
from tests.wire.conftest import World
from tests.wire.servers import ServerPki
from tests.wire.test_outbound import egress
from tests.wire.test_probe import GOOD, MUTUAL, Bench, ids, message, nginx
from tests.wire.witnesses import Python

from bothways.demo.customer_ca import make_server_files
from bothways.operations.hub import contract
from bothways.outbound.probe import probe_customer
from bothways.store import authorities
from bothways.store.authorities import Role

pytestmark = [
    pytest.mark.envoy,
    needs("nginx"),
]

Run = Callable[[ServerPki], AbstractContextManager[int]]


def every_kind(**kinds: Run) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("run", kinds.values(), ids=kinds.keys())


@pytest.fixture
def bench(world: World, tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(world, tmp_path, stack)


def careless(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_NONE


def old(context: ssl.SSLContext) -> None:
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1


@every_kind(nginx=nginx(GOOD), openssl=servers.s_server, envoy=servers.envoy, python=servers.python)
def test_an_intermediate_that_is_not_sent_breaks_the_path_or_will(bench: Bench, run: Run) -> None:
    pki = bench.pki(send_intermediate=False)
    port = bench.running(run, pki)
    bench.endorse(pki, port, pki.root.encode())
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (False, ["PROBE-CHAIN-01", "PROBE-CALL-01"])
    assert "CN=Bank TLS" in message(probe, "PROBE-CHAIN-01")
    bench.endorse(pki, port)
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe)) == (True, ["PROBE-CHAIN-03"])


@every_kind(
    nginx=nginx("ssl_verify_client off;"),
    openssl=partial(servers.s_server, anybody=True),
    envoy=partial(servers.envoy, anybody=True),
    python=partial(servers.python, prepare=careless),
)
def test_a_server_that_takes_anybody_is_found_and_at_risk(bench: Bench, run: Run) -> None:
    probe = bench.probed(run)
    assert (probe.fact.ok, ids(probe)) == (True, ["PROBE-CLIENT-02"]), probe.document()
    assert bench.state == "at risk"


@every_kind(
    nginx=nginx(f"ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0; {MUTUAL}"),
    openssl=lambda pki: servers.s_server(pki, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"),
    envoy=partial(
        servers.envoy,
        parameters={
            "tls_minimum_protocol_version": "TLSv1_0",
            "tls_maximum_protocol_version": "TLSv1_1",
            "cipher_suites": ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA"],
        },
    ),
    python=partial(servers.python, prepare=old),
)
def test_a_server_of_tls_1_1_alone_is_told_and_proves_nothing(bench: Bench, run: Run) -> None:
    probe = bench.probed(run)
    assert (probe.fact.ok, ids(probe)) == (False, ["PROBE-TLS-01", "PROBE-CALL-01"])
    assert "PROTOCOL_VERSION" in probe.fact.seen


@pytest.mark.parametrize("kind", ["nginx", "envoy", "python"])
def test_a_server_that_pins_is_found_before_a_rotation(bench: Bench, kind: str, tmp_path: Path) -> None:
    with bench.hub.read() as connection:
        current = authorities.current_credential(connection, Role.CLIENT).certificate
    whole, short = current.fingerprint(SHA256()).hex(), current.fingerprint(SHA1()).hex()  # noqa: S303 - nginx's own
    if kind == "python":
        (tmp_path / "own").mkdir()
        files = make_server_files(tmp_path / "own", "Bank", bench.host)
        pinning = Python(files, contract(bench.hub).trust.client_ca)
        pinning.pinned = whole
        with pinning.running():
            bench.endorse(bench.pki(), pinning.port, files.chain.read_bytes())
            probe = probe_customer(bench.hub, bench.tsp_id)
    else:
        http = f"map $ssl_client_fingerprint $known {{ default 0; {short} 1; }}"
        by_nginx = nginx("ssl_verify_client optional_no_ca; if ($known = 0) {{ return 403; }}", http=http)
        probe = bench.probed(by_nginx if kind == "nginx" else partial(servers.envoy, pinned=whole))
    assert (probe.fact.ok, ids(probe)) == (True, ["PROBE-PIN-01"])
    assert bench.state == "at risk"


@every_kind(nginx=nginx(GOOD), openssl=servers.s_server, envoy=servers.envoy, python=servers.python)
def test_the_chain_of_another_customer_opens_no_kind_of_server(bench: Bench, run: Run, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = servers.make_pki(tmp_path / "other", "", bench.host)
    pki = bench.pki()
    bench.endorse(pki, bench.running(run, pki), other.chain)
    probe = probe_customer(bench.hub, bench.tsp_id)
    assert (probe.fact.ok, ids(probe), probe.evidence.admissions) == (False, ["PROBE-CHAIN-02", "PROBE-CALL-01"], ())
    assert "CERTIFICATE_VERIFY_FAILED" in probe.fact.seen


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_nobody_anywhere(bench: Bench, status: int) -> None:
    reached: list[object] = []
    with servers.accepting(reached.append) as elsewhere:
        target = f"http://127.0.0.1:{elsewhere}/latest/meta-data"
        probe = bench.probed(nginx(GOOD, location=f"return {status} {target};"))
        assert (probe.fact.ok, ids(probe)) == (True, [])
        bench.world.apply()
        # Nor does Envoy follow it for a service: that is told where the server points, and decides by itself.
        answer = egress(bench.world, bench.tsp_id)
        assert (answer.status_code, answer.headers["location"]) == (status, target)
    assert reached == []
