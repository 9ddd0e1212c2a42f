"""What the hub's Envoy calls, whom it believes there, and what it tells them of the hub (R11 to R15)."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import pytest
from tests.conftest import local_settings
from tests.wire.conftest import World

from bothways.contract.render import render_contract
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.operations.chains import endorse_chain, submit_chain, withdraw_chain
from bothways.operations.customers import add_customer, show_customer, suspend_customer
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import contract
from bothways.operations.rotation import rotate_client_certificate
from bothways.operations.settings import Settings
from bothways.outbound.probe import probe_customer
from bothways.registry.customer import CustomerKind
from bothways.spoke.directory import init_spoke
from bothways.spoke.listen import Callback, Receiver

pytestmark = pytest.mark.envoy


@dataclass(slots=True)
class Server:
    """A customer's server that listens: where, with which files, and the calls that it received."""

    tsp_id: str
    url: str
    files: ServerFiles
    calls: "queue.SimpleQueue[Callback]" = field(default_factory=queue.SimpleQueue)

    @property
    def pem(self) -> bytes:
        return self.files.chain.read_bytes()


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with serving(tmp_path) as make:
        yield make


@contextmanager
def serving(place: Path) -> Iterator[Serve]:
    """Yield a maker of registered customers with a server under the name `host`, whose certificate names `named`."""
    with ExitStack() as stack:

        def make(world: World, tsp_id: str, host: str, named: str | None = None) -> Server:
            add_customer(world.hub, tsp_id, CustomerKind.ISSUER, "Bank")
            directory = place / tsp_id
            directory.mkdir()
            files = make_server_files(directory, f"Bank {tsp_id}", named or host)
            (place / f"{tsp_id}.toml").write_text(render_contract(contract(world.hub)))
            spoke = init_spoke(directory, str(place / f"{tsp_id}.toml"), tsp_id)
            made = Server(tsp_id, "", files)
            receiver = stack.enter_context(
                Receiver(spoke, ("127.0.0.1", 0), files.certificate, files.key, made.calls.put, lambda _: None)
            )
            thread = threading.Thread(target=receiver.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(receiver.shutdown)
            made.url = f"https://{host}:{receiver.server_address[1]}"
            return made

        yield make


def endorse(world: World, server: Server, pem: bytes | None = None) -> int:
    """Name the server, endorse a chain for it (by default its own), and return the chain's number."""
    set_endpoint(world.hub, server.tsp_id, server.url)
    chain = submit_chain(world.hub, server.tsp_id, pem or server.pem)
    endorse_chain(world.hub, chain.id)
    world.apply()
    return chain.id


def established(world: World, server: Server) -> int:
    number = endorse(world, server)
    probe = probe_customer(world.hub, server.tsp_id)
    assert (probe.fact.ok, probe.findings) == (True, ())
    # Two knocks with certificates that have to be let in, and the call through Envoy.
    for _ in range(3):
        assert server.calls.get(timeout=5).path == "/"
    world.apply()
    return number


def egress(world: World, tsp_id: str | None, path: str = "/notify") -> httpx2.Response:
    settings = world.hub.settings
    headers = {} if tsp_id is None else {"Bothways-Customer": tsp_id}
    address = f"http://{settings.egress_address}:{settings.egress_port}{path}"
    return httpx2.get(address, headers=headers, timeout=15, trust_env=False)


@pytest.mark.parametrize("tsp_id", ["00000000", "", None])
def test_an_unknown_customer_answers_404(world: World, tsp_id: str | None) -> None:
    assert egress(world, tsp_id).status_code == 404


def test_a_proved_server_is_called_with_the_hubs_certificate(world: World, serve: Serve) -> None:
    server = serve(world, "A1", "a1.localhost")
    established(world, server)
    answer = egress(world, "A1", "/notify?id=7")
    seen = server.calls.get(timeout=5)
    assert (answer.status_code, json.loads(answer.content)["received"]) == (200, True)
    assert (seen.path, seen.tls_version) == ("/notify?id=7", "TLSv1.3")
    assert seen.caller == "CN=ppr.hub.localhost PPR client,O=ppr.hub.localhost"
    assert show_customer(world.hub, "A1").assessment.outbound.state == "established"


def test_before_the_probe_services_do_not_get_through(world: World, serve: Serve) -> None:
    server = serve(world, "A2", "a2.localhost")
    endorse(world, server)
    assert egress(world, "A2").status_code == 404
    assert server.calls.empty()


def test_a_server_with_another_name_is_not_believed(world: World, serve: Serve) -> None:
    server = serve(world, "A3", "a3.localhost", named="elsewhere.localhost")
    endorse(world, server)
    fact = probe_customer(world.hub, "A3").fact
    assert not fact.ok
    assert "elsewhere.localhost" in fact.seen
    assert server.calls.empty()


def test_a_server_of_a_foreign_ca_is_not_believed(world: World, serve: Serve, tmp_path: Path) -> None:
    server = serve(world, "A4", "a4.localhost")
    (tmp_path / "foreign").mkdir()
    # The same names throughout, and other keys: trust is bound to keys.
    foreign = make_server_files(tmp_path / "foreign", "Bank A4", "a4.localhost")
    endorse(world, server, foreign.chain.read_bytes())
    fact = probe_customer(world.hub, "A4").fact
    assert not fact.ok
    assert "CERTIFICATE_VERIFY_FAILED" in fact.seen
    assert server.calls.empty()


def test_one_customers_chain_does_not_open_anothers_server(world: World, serve: Serve, tmp_path: Path) -> None:
    mine, theirs = serve(world, "A5", "a5.localhost"), serve(world, "A6", "a6.localhost")
    established(world, mine)
    # Endorsed for A5 is the very chain that A6's server presents; endorsed for A6 is another.
    endorse_chain(world.hub, submit_chain(world.hub, "A5", theirs.pem).id)
    (tmp_path / "other").mkdir()
    endorse(world, theirs, make_server_files(tmp_path / "other", "Another Bank", "a6.localhost").chain.read_bytes())
    fact = probe_customer(world.hub, "A6").fact
    assert not fact.ok
    assert "CERTIFICATE_VERIFY_FAILED" in fact.seen
    assert theirs.calls.empty()
    established(world, theirs)


def test_a_withdrawn_chain_closes_the_egress_at_once(world: World, serve: Serve) -> None:
    server = serve(world, "A7", "a7.localhost")
    number = established(world, server)
    assert egress(world, "A7").status_code == 200
    server.calls.get(timeout=5)
    withdraw_chain(world.hub, number, "the CA was replaced")
    world.apply()
    assert egress(world, "A7").status_code == 404
    assert server.calls.empty()


def test_a_suspended_customer_is_not_called(world: World, serve: Serve) -> None:
    server = serve(world, "A8", "a8.localhost")
    established(world, server)
    suspend_customer(world.hub, "A8", "tested")
    world.apply()
    assert egress(world, "A8").status_code == 404
    assert server.calls.empty()


def test_a_rotation_reaches_the_server_on_the_next_call_and_breaks_none(world: World, serve: Serve) -> None:
    server = serve(world, "A9", "a9.localhost")
    established(world, server)
    fingerprints = []
    for _ in range(3):
        assert egress(world, "A9").status_code == 200
        fingerprints.append(server.calls.get(timeout=5).fingerprint)
        rotate_client_certificate(world.hub)
        world.apply()
    assert len(set(fingerprints)) == 3


def test_a_dead_server_is_told_and_recorded(world: World, serve: Serve) -> None:
    server = serve(world, "B1", "b1.localhost")
    endorse(world, replace(server, url="https://b1.localhost:1"))
    fact = probe_customer(world.hub, "B1").fact
    assert not fact.ok
    assert fact.seen.startswith("the customer's server refuses the connection: nothing listens at its port (")
    assert "refused" in fact.seen
    assert show_customer(world.hub, "B1").assessment.outbound.state == "broken"


def test_loopback_is_refused_where_it_is_not_allowed(make_running: Callable[[Settings], World], serve: Serve) -> None:
    world = make_running(replace(local_settings(), danger_outbound_loopback=False))
    server = serve(world, "C1", "c1.localhost")
    endorse(world, server)
    fact = probe_customer(world.hub, "C1").fact
    assert (fact.ok, "special-address" in fact.seen) == (False, True)
    # Even where it is on record as proved, each call is refused by the address that it would go to.
    record_probe(world.hub, "C1", replace(fact, ok=True))
    world.apply()
    answer = egress(world, "C1")
    assert (answer.status_code, answer.json()["finding"]) == (403, "EGRESS-ADDRESS-01")
    assert server.calls.empty()
