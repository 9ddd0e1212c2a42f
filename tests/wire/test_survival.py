"""Nobody's calls depend on the control plane: it is killed, restarted and upgraded under load, and Envoy goes on."""

import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.conftest import local_settings
from tests.eventually import SECONDS, eventually
from tests.forked import ForkedProcess
from tests.wire.conftest import ISSUER, MERCHANT, World, stored_world
from tests.wire.load import Load
from tests.wire.test_outbound import egress
from tests.wire.test_rotation import python as customers_server

from bothways.dataplane.envoy_state import is_kept, state_of
from bothways.demo.customer_ca import make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.certificates import revoke_certificate
from bothways.operations.customers import add_customer, suspend_customer
from bothways.operations.services import add_service, grant_service
from bothways.operations.settings import EnvoyLifetime
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service

pytestmark = pytest.mark.envoy


class Running:
    """A hub whose Envoy outlives it, with the hub's process in our hands."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.starts = 0
        self.process = self.start()

    def start(self) -> BothwaysProcess:
        self.starts += 1
        log = self.world.directory / f"hub-{self.starts}.log"
        self.process = ForkedProcess(["hub", "run", "--directory", str(self.world.hub.directory)], log)
        assert self.process.next_line(60)["ready"] is True
        return self.process

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        eventually(lambda: not self.process.running, "the hub outlived SIGKILL")
        self.process.stop()

    @property
    def envoy(self) -> dict[str, Any]:
        return state_of(self.world.hub.run_directory)

    def envoy_is(self, **wanted: object) -> None:
        eventually(lambda: wanted.items() <= self.envoy.items(), f"{wanted} was wanted")

    def end(self) -> None:
        self.process.stop()
        if pid := self.envoy["supervisor"]:
            os.kill(pid, signal.SIGTERM)
        eventually(lambda: not is_kept(self.world.hub.run_directory), "the process beside Envoy did not end")


@pytest.fixture
def hub_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with ExitStack() as stack:
        settings = replace(local_settings(), envoy_lifetime=EnvoyLifetime.DETACHED)
        world = stored_world(stack, tmp_path_factory.mktemp("w"), settings)
        grant_service(world.hub, "vault", MERCHANT)
        running = Running(world)
        stack.callback(running.end)
        yield running


def test_a_hub_that_is_killed_and_comes_back_loses_no_request(hub_of: Running) -> None:
    world = hub_of.world
    (spoke, _), (other, serial) = world.connected(), world.connected()
    before = hub_of.envoy["pid"]
    with Load(world, spoke) as load, world.open(other) as line:
        load.wait_for_more()
        hub_of.kill()
        hub_of.envoy_is(source="snapshot")
        load.wait_for_more(100)
        hub_of.start()
        load.wait_for_more()
        assert line.ask("/tokens")[0] == 200
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        assert line.ask("/tokens")[0] == 403
        load.wait_for_more()
    assert load.lost == []
    assert load.reopened == 0
    assert (hub_of.envoy["pid"], hub_of.envoy["source"]) == (before, "hub")


def test_envoy_starts_without_the_hub_and_serves_what_it_served(hub_of: Running) -> None:
    world = hub_of.world
    (spoke, _), (merchant, _), (revoked, serial) = world.connected(), world.connected(MERCHANT), world.connected()
    add_customer(world.hub, "11111111", CustomerKind.ISSUER, "Suspended Bank")
    suspended, _ = world.connected("11111111")
    # What a person was told is in force is refused by every Envoy after this, hub or not: also before the maps follow.
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    suspend_customer(world.hub, "11111111", "tested")
    world.apply()
    hub_of.kill()
    with Load(world, spoke) as load, Load(world, merchant, "/vault/load") as other:
        load.wait_for_more()
        other.wait_for_more()
        assert (load.lost, other.lost) == ([], [])
        killed_at, before = time.monotonic(), hub_of.envoy["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: hub_of.envoy["pid"] not in {None, before}, "Envoy was not started again")
        load.wait_for_more()
        other.wait_for_more()
        assert hub_of.envoy["source"] == "snapshot"
        lost = [*load.lost, *other.lost]
        assert lost, "the crash was not noticed"
        assert max(at for at, _ in lost) - killed_at < 10
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"), world.tls(world.context(revoked)) as line:
            line.recv(1)
        with world.open(suspended) as line:
            assert line.ask("/connectivity")[0] == 403
        load.lost.clear()
        other.lost.clear()
        hub_of.start()
        load.wait_for_more()
        other.wait_for_more()
        hub_of.envoy_is(source="hub")
        load.wait_for_more()
        other.wait_for_more()
    assert (load.lost, other.lost) == ([], [])


def test_who_stands_in_for_the_hub_brings_the_servers_of_customers_that_are_called(
    hub_of: Running, tmp_path: Path
) -> None:
    world = hub_of.world
    for each in ("kept", "new"):
        (tmp_path / each).mkdir()
    first, second = (make_server_files(tmp_path / each, "Bank", f"{each}.localhost") for each in ("kept", "new"))
    with customers_server(world, "KEPT", first), customers_server(world, "NEW", second):
        assert egress(world, "KEPT").status_code == 200
        hub_of.kill()
        hub_of.envoy_is(source="snapshot")
        # One that Envoy has, and one that it asks whoever stands in for.
        assert [egress(world, each).status_code for each in ("KEPT", "NEW", "UNKNOWN")] == [200, 200, 404]
        before = hub_of.envoy["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: hub_of.envoy["pid"] not in {None, before}, "Envoy was not started again")
        eventually(lambda: called(world, "KEPT"), "the saved snapshot does not lead to the customer")
        assert [egress(world, each).status_code for each in ("KEPT", "NEW", "UNKNOWN")] == [200, 200, 404]
        hub_of.start()
        hub_of.envoy_is(source="hub")
        assert [egress(world, each).status_code for each in ("KEPT", "NEW", "UNKNOWN")] == [200, 200, 404]


def called(world: World, tsp_id: str) -> bool:
    """Tell whether a call to the customer is answered; an Envoy that starts takes none at first."""
    try:
        return egress(world, tsp_id).status_code == 200
    except httpx2.TransportError:
        return False


def test_a_hot_restart_loses_no_request(hub_of: Running) -> None:
    world = hub_of.world
    spoke, _ = world.connected()
    with Load(world, spoke) as load:
        load.wait_for_more()
        before = hub_of.envoy["pid"]
        os.kill(hub_of.envoy["supervisor"], signal.SIGHUP)
        hub_of.envoy_is(hot_restarts=1)
        load.wait_for_more(100)
        world.apply()
        load.wait_for_more()
    assert load.lost == []
    # The old one said goodbye on each connection that was open, and goes on for those that are at rest.
    assert load.reopened == 2
    assert hub_of.envoy["pid"] != before
    os.kill(before, 0)


class Slow(BaseHTTPRequestHandler):
    """A service that answers when it is told to."""

    begun, may_answer = threading.Event(), threading.Event()

    def do_GET(self) -> None:
        self.begun.set()
        self.may_answer.wait(SECONDS)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        Slow.may_answer.set()
        server.shutdown()
        thread.join()


def test_an_orderly_end_answers_what_was_begun(hub_of: Running, slow_port: int) -> None:
    world = hub_of.world
    add_service(world.hub, Service("slow", "/slow", f"http://127.0.0.1:{slow_port}"))
    grant_service(world.hub, "slow", ISSUER)
    spoke, _ = world.connected()
    seen: list[tuple[int, bytes]] = []
    with world.open(spoke) as line:
        asking = threading.Thread(target=lambda: seen.append(line.ask("/slow")))
        asking.start()
        assert Slow.begun.wait(SECONDS)
        os.kill(hub_of.process.pid, signal.SIGTERM)

        def refused() -> bool:
            try:
                world.tls(world.context(spoke)).close()
            except OSError:
                return True
            return False

        eventually(refused, "a hub that ends takes new connections")
        assert (seen, hub_of.process.running) == ([], True)
        Slow.may_answer.set()
        asking.join()
    assert seen == [(200, b"done")]
    eventually(lambda: not hub_of.process.running, "the hub did not end")
    hub_of.process.stop()
    assert not is_kept(world.hub.run_directory)
    hub_of.start()
    with world.open(spoke) as line:
        assert line.ask("/tokens")[0] == 200
