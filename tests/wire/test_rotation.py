"""The hub's client certificate changes under load, and no call is lost: not with one that pins it, nor with its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self

import pytest
from tests.outbound.signing import returned_by
from tests.wire.conftest import World, with_envoy
from tests.wire.witnesses import Python, nginx, s_server

from bothways.connectivity.evidence import Caller
from bothways.connectivity.facts import ProbeFact
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import current_snapshot
from bothways.demo.customer_ca import ServerFiles, make_server_files
from bothways.errors import Conflict
from bothways.operations.authorities import add_client_authority, retire_authority
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customer_credentials import install_credential, remove_credential, request_credential
from bothways.operations.customers import add_customer, show_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.operations.rotation import rotate_client_certificate
from bothways.outbound.probe import probe_customer
from bothways.outbound.rotation import ask_held_customers, rotate_when_asked
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.registry.customer import CustomerKind
from bothways.store import authorities
from bothways.store.authorities import Role
from bothways.xds.passing import APART_SECONDS, Passing
from bothways.xds.snapshot import Snapshot

pytestmark = pytest.mark.envoy

ROTATIONS = 25


@dataclass(slots=True)
class Calls:
    """Calls of a service of the hub to customers, without pause, one connection for each.

    `port` is that of the egress, if not of the Envoy beside the hub.
    """

    world: World
    tsp_ids: tuple[str, ...]
    port: int = 0
    answers: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for tsp_id in self.tsp_ids:
            self.answers[tsp_id] = []
            thread = threading.Thread(target=self._call, args=(tsp_id,))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count: int) -> None:
        """Wait until each customer answered so many more calls."""
        wanted = {tsp_id: len(each) + count for tsp_id, each in self.answers.items()}
        end = time.monotonic() + 30
        while any(len(self.answers[tsp_id]) < number for tsp_id, number in wanted.items()):
            assert time.monotonic() < end, (wanted, self.lost[-3:])
            time.sleep(0.002)

    def bodies(self, tsp_id: str) -> list[str]:
        return [body for _, body in self.answers[tsp_id]]

    def _call(self, tsp_id: str) -> None:
        settings = self.world.hub.settings
        connection = HTTPConnection(settings.egress_address, self.port or settings.egress_port, timeout=15)
        while not self._stop.is_set():
            try:
                connection.request("GET", "/notify", headers={"Bothways-Customer": tsp_id})
                answer = connection.getresponse()
                self.answers[tsp_id].append((answer.status, body := answer.read().decode()))
                if answer.status != 200:
                    self.lost.append(f"{tsp_id}: {answer.status} {body}")
            except (OSError, HTTPException) as error:
                self.lost.append(f"{tsp_id}: {error!r}")
                connection.close()
        connection.close()


def established(world: World, tsp_id: str, files: ServerFiles, port: int) -> None:
    """Register the customer's server, and prove its outbound flow."""
    add_customer(world.hub, tsp_id, CustomerKind.ISSUER, "Bank")
    set_endpoint(world.hub, tsp_id, f"https://{tsp_id.lower()}.localhost:{port}")
    endorse_chain(world.hub, submit_chain(world.hub, tsp_id, files.chain.read_bytes()).id)
    world.apply()
    fact = probe_customer(world.hub, tsp_id).fact
    assert fact.ok, fact.seen
    world.apply()


@pytest.fixture
def place(world: World, tmp_path: Path) -> Callable[[str], tuple[Path, ServerFiles]]:
    (tmp_path / "client-ca.crt").write_text(contract(world.hub).trust.client_ca)

    def make(tsp_id: str) -> tuple[Path, ServerFiles]:
        directory = tmp_path / tsp_id
        directory.mkdir()
        return directory, make_server_files(directory, f"Bank {tsp_id}", f"{tsp_id.lower()}.localhost")

    return make


@contextmanager
def python(world: World, tsp_id: str, files: ServerFiles) -> Iterator[Python]:
    server = Python(files, contract(world.hub).trust.client_ca)
    with server.running():
        established(world, tsp_id, files, server.port)
        yield server


def fingerprint_of(world: World) -> str:
    return hub_state(world.hub).client.fingerprint


def test_no_call_is_lost_in_many_rotations_and_each_next_call_has_the_new_certificate(
    world: World, place: Callable[[str], tuple[Path, ServerFiles]], tmp_path: Path
) -> None:
    client_ca = tmp_path / "client-ca.crt"
    with ExitStack() as stack:
        directory, files = place("N1")
        established(world, "N1", files, stack.enter_context(nginx(directory, files, client_ca)))
        files = place("S1")[1]
        established(world, "S1", files, stack.enter_context(s_server(files, client_ca)))
        stack.enter_context(python(world, "P1", place("P1")[1]))
        with Calls(world, ("N1", "S1", "P1")) as calls:
            calls.wait_for_more(5)
            for _ in range(ROTATIONS):
                serial = rotate_client_certificate(world.hub)
                world.apply()
                # One is perhaps under way; the one after it begins after every node has confirmed.
                calls.wait_for_more(2)
                assert calls.bodies("N1")[-1] == serial.upper().zfill(len(serial) + len(serial) % 2)
                assert calls.bodies("P1")[-1] == fingerprint_of(world)
    assert calls.lost == []
    assert len(set(calls.bodies("P1"))) == ROTATIONS + 1


def test_who_pins_the_certificate_keeps_it_and_no_call_is_lost_until_it_takes_the_new_one(
    world: World, place: Callable[[str], tuple[Path, ServerFiles]]
) -> None:
    with python(world, "PIN", place("PIN")[1]) as pinning, python(world, "FREE", place("FREE")[1]):
        pinning.pinned = before = fingerprint_of(world)
        with Calls(world, ("PIN", "FREE")) as calls:
            calls.wait_for_more(5)
            for _ in range(3):
                done = rotate_when_asked(world.hub)
                assert done.held.keys() & {"PIN", "FREE"} == {"PIN"}
                assert "answered 403; with the present certificate: TLSv1.3, answered 200" in done.held["PIN"]
                world.apply()
                calls.wait_for_more(2)
                assert calls.bodies("FREE")[-1] == fingerprint_of(world) != before
            assert show_customer(world.hub, "PIN").assessment.outbound.state == "at risk"
            assert ask_held_customers(world.hub) == ()
            assert set(calls.bodies("PIN")) == {before}
            pinning.pinned = None
            assert ask_held_customers(world.hub) == ("PIN",)
            world.apply()
            calls.wait_for_more(2)
            assert calls.bodies("PIN")[-1] == fingerprint_of(world)
        assert calls.lost == []
    assert show_customer(world.hub, "PIN").assessment.outbound.state == "established"


def test_a_certificate_of_the_customers_own_ca_is_shown_to_it_alone_and_renewed_without_a_lost_call(
    world: World, place: Callable[[str], tuple[Path, ServerFiles]], make_ca: Callable[..., Any]
) -> None:
    ca = make_ca("Bank OWN Clients")
    hub = world.hub
    with python(world, "OWN", place("OWN")[1]) as own, python(world, "OTHER", place("OTHER")[1]) as other:
        own.trust(certificate_pem(ca[1]))
        with Calls(world, ("OWN", "OTHER")) as calls:
            calls.wait_for_more(5)
            installed = []
            for _ in range(4):
                request = request_credential(hub, "OWN", {"CN": "hub-at-own"})
                done = install_credential(hub, "OWN", returned_by(ca, request))
                installed.append(fingerprint(done.returned.chain[0]))
                world.apply()
                calls.wait_for_more(2)
                assert calls.bodies("OWN")[-1] == installed[-1]
                rotate_client_certificate(hub)
                world.apply()
                calls.wait_for_more(2)
                assert calls.bodies("OWN")[-1] == installed[-1]
                assert calls.bodies("OTHER")[-1] == fingerprint_of(world)
            # The probe knocks with what this customer is shown, and with no fresh one of a CA that means nothing there.
            probe = probe_customer(hub, "OWN")
            assert (probe.fact.ok, [each.id for each in probe.findings]) == (True, [])
            assert {each.caller for each in probe.evidence.admissions} == set(Caller) - {Caller.FRESH, Caller.NEXT}
            remove_credential(hub, "OWN", "the bank trusts the Client CA")
            world.apply()
            calls.wait_for_more(2)
            assert calls.bodies("OWN")[-1] == fingerprint_of(world)
        assert calls.lost == []
    assert set(installed) <= set(own.seen)
    assert not set(installed) & set(other.seen)


def test_the_client_ca_is_replaced_customer_by_customer_and_no_call_is_lost(
    world: World, place: Callable[[str], tuple[Path, ServerFiles]]
) -> None:
    with world.hub.read() as connection:
        old = authorities.signing_authority(connection, Role.CLIENT)
    with python(world, "LATE", place("LATE")[1]) as late, python(world, "READY", place("READY")[1]) as ready:
        with Calls(world, ("LATE", "READY")) as calls:
            calls.wait_for_more(5)
            before = fingerprint_of(world)
            added = add_client_authority(world.hub)
            world.apply()
            ready.trust(certificate_pem(added.certificate))
            # Before anything changes for anybody, probes tell who is ready; who is not yet pins nothing.
            assert {
                each: [one.id for one in probe_customer(world.hub, each).findings] for each in ("LATE", "READY")
            } == {
                "LATE": ["PROBE-NEXT-01"],
                "READY": [],
            }
            for _ in range(2):
                done = rotate_when_asked(world.hub)
                assert done.held.keys() & {"LATE", "READY"} == {"LATE"}
                world.apply()
                calls.wait_for_more(2)
                assert calls.bodies("READY")[-1] == fingerprint_of(world)
                assert calls.bodies("LATE")[-1] == before
            found = [probe_customer(world.hub, each) for each in ("LATE", "READY")]
            assert [[one.id for one in each.findings] for each in found] == [["PROBE-NEXT-01"], []]
            with pytest.raises(Conflict, match="are shown to customers"):
                retire_authority(world.hub, old.id, "tested")
            late.trust(certificate_pem(added.certificate))
            assert ask_held_customers(world.hub) == ("LATE",)
            world.apply()
            calls.wait_for_more(2)
            assert calls.bodies("LATE")[-1] == fingerprint_of(world)
        assert calls.lost == []


def test_a_connection_in_use_is_not_used_after_a_change_once_pools_are_told_apart(hub: Hub, tmp_path: Path) -> None:
    files = make_server_files(tmp_path, "Bank", "apart.localhost")
    server = Python(files, contract(hub).trust.client_ca)

    async def test(ads: AdsServer) -> None:
        settings = hub.settings
        # One connection, so that all calls are made by one worker of Envoy, which has pools of its own.
        connection = HTTPConnection(settings.egress_address, settings.egress_port, timeout=30)

        def shown() -> str:
            connection.request("GET", "/", headers={"Bothways-Customer": "APART"})
            return connection.getresponse().read().decode()

        async def after(snapshot: Snapshot) -> str:
            ads.publish(snapshot)
            async with asyncio.timeout(30):
                assert await ads.settled() is True
            return await asyncio.to_thread(shown)

        passing = Passing(current_snapshot(hub), 0.0)
        assert passing.end(APART_SECONDS)
        first = hub_state(hub).client.fingerprint
        assert await after(passing.snapshot()) == first
        rotate_client_certificate(hub)
        second = hub_state(hub).client.fingerprint
        passing.follow(current_snapshot(hub), APART_SECONDS)
        # The pooled connection has the certificate that it was opened with.
        assert await after(passing.base) == first
        assert await after(passing.snapshot()) == second
        connection.close()

    with server.running():
        add_customer(hub, "APART", CustomerKind.ISSUER, "Bank")
        set_endpoint(hub, "APART", f"https://apart.localhost:{server.port}")
        endorse_chain(hub, submit_chain(hub, "APART", files.chain.read_bytes()).id)
        record_probe(hub, "APART", ProbeFact(f"apart.localhost:{server.port}", hub.now(), ok=True, seen="TLSv1.3"))
        asyncio.run(with_envoy(hub, current_snapshot(hub), test))
