"""What is stored comes into force at every Envoy: on request at once, and by itself soon after."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import grpc.aio
import httpx2
import pytest
from cryptography import x509
from envoy.config.core.v3 import extension_pb2
from sqlalchemy import delete
from tests.conftest import unguarded
from tests.dataplane.test_ads import Node
from tests.eventually import eventually_in_loop
from tests.postgresql import in_files
from tests.stored_keys import key_names, keys_as, without_key

from bothways.cli.opening import control
from bothways.connectivity.facts import ProbeFact
from bothways.dataplane import publisher as module
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.publisher import Publisher, current_snapshot
from bothways.dataplane.saved import SavedSnapshot
from bothways.operations.audit_head import HEAD_FILE, read_head
from bothways.operations.certificates import revoke_certificate, show_certificate
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.closure import current_closure
from bothways.operations.customers import add_customer, resume_customer, suspend_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import DATABASE_FILE, Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import lists_due
from bothways.operations.rotation import next_renewal, own_certificates, rotate_client_certificate
from bothways.operations.services import add_service
from bothways.operations.upkeep import AGAIN, Upkeep, upkeep
from bothways.pki.chain import certificate_pem
from bothways.pki.profile import uri_id
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service
from bothways.signer.keys import Keys
from bothways.signer.signer import Signer
from bothways.store import audit, schema, sealed_keys
from bothways.store.authorities import Role
from bothways.store.database import Database
from bothways.xds import passing
from bothways.xds.authorization import refused_by
from bothways.xds.names import (
    CLUSTER_TYPE,
    EXTENSION_TYPE,
    INBOUND,
    ROUTE_TYPE,
    WITHDRAWN_FILTER,
    customer_of,
    embedded_node,
)
from bothways.xds.resource import Deferred
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import Identity

MakeCa = Callable[..., tuple[Any, Any]]


def register(hub: Hub, make_ca: MakeCa) -> str:
    """Register a customer whose outbound flow counts as established; nothing listens at its endpoint."""
    add_customer(hub, "12345678", CustomerKind.ISSUER, "First Bank")
    set_endpoint(hub, "12345678", "https://bank.localhost:1")
    chain = submit_chain(hub, "12345678", certificate_pem(make_ca("Root")[1]).encode())
    endorse_chain(hub, chain.id)
    record_probe(hub, "12345678", ProbeFact("bank.localhost:1", hub.now(), ok=True, seen="TLSv1.3"))
    return "12345678"


def egress(hub: Hub, tsp_id: str) -> int:
    """Return 404 while Envoy does not know the customer, 502 once it does, for nothing listens there."""
    address = f"http://{hub.settings.egress_address}:{hub.settings.egress_port}/"
    return httpx2.get(address, headers={"Bothways-Customer": tsp_id}, timeout=15, trust_env=False).status_code


@pytest.mark.envoy
def test_a_change_is_in_force_after_apply(running_hub: Hub, make_ca: MakeCa) -> None:
    assert egress(running_hub, "12345678") == 404
    tsp_id = register(running_hub, make_ca)
    for suspended, wanted in ((False, 502), (True, 404), (False, 502)):
        (suspend_customer if suspended else resume_customer)(running_hub, tsp_id, "tested")
        applied = control(running_hub, "POST", "/apply")
        assert applied is not None
        assert (applied["in_force"], applied["version"]) == (True, current_snapshot(running_hub).version)
        assert egress(running_hub, tsp_id) == wanted


@pytest.mark.envoy
def test_a_change_comes_into_force_by_itself(running_hub: Hub, make_ca: MakeCa) -> None:
    tsp_id = register(running_hub, make_ca)
    end = time.monotonic() + 10
    while egress(running_hub, tsp_id) != 502:
        assert time.monotonic() < end, "the change did not come into force"
        time.sleep(0.02)


@pytest.mark.envoy
def test_applying_nothing_is_the_same_version(running_hub: Hub) -> None:
    first, again = (control(running_hub, "POST", "/apply") for _ in range(2))
    assert first is not None
    assert again is not None
    assert (first["version"], first["in_force"]) == (again["version"], again["in_force"])
    status = control(running_hub, "GET", "/status")
    assert status is not None
    told = [{key: each[key] for key in ("node", "settled", "refused")} for each in status["nodes"]]
    assert (status["version"], told) == (
        first["version"],
        [{"node": "ppr-embedded", "settled": True, "refused": {}}],
    )
    assert status["problem"] == ""


def test_equal_states_have_equal_versions_and_a_change_another(hub: Hub) -> None:
    first = current_snapshot(hub)
    assert current_snapshot(hub).version == first.version
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
    assert current_snapshot(hub).version != first.version


@asynccontextmanager
async def publishing(
    hub: Hub, first: Snapshot, held: Callable[[], bool] = lambda: True
) -> AsyncIterator[tuple[Publisher, AdsServer]]:
    """Run a publisher, with a server that no node is connected to."""
    ads = AdsServer(hub.run_directory / "ads.sock", first)
    publisher = Publisher(hub, ads, held=held)
    task = asyncio.create_task(publisher.run())
    try:
        async with asyncio.timeout(60):
            yield publisher, ads
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def only_new_key(hub: Hub) -> str:
    """Rotate the client certificate, and return the name of its key."""
    before = key_names(hub)
    rotate_client_certificate(hub)
    (key,) = key_names(hub) - before
    return key


def test_what_cannot_be_published_leaves_what_is_there_and_is_told_once(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    key = only_new_key(hub)
    first = current_snapshot(hub)
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))

    async def publish(opened: Hub) -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", first)
        publisher = Publisher(opened, ads)
        there = ads.snapshot
        for _ in range(2):
            applied = await publisher.apply()
            assert (applied.version, applied.in_force, ads.snapshot is there) == (first.version, False, True)
            assert key in publisher.problem

    with without_key(hub, key) as opened:
        asyncio.run(publish(opened))
    assert caplog.text.count("the data plane keeps what it has") == caplog.text.count(key) == 1


def test_a_failure_ends_no_round_and_is_forgotten_when_one_succeeds(hub: Hub) -> None:
    later, find = list[bool](), hub.keys._find
    waiting_for_keys = replace(hub, keys=Keys(lambda name: find(name) if later else None, hub.keys._secret, 1))
    first = current_snapshot(hub)

    async def run() -> None:
        async with publishing(waiting_for_keys, first) as (publisher, ads):
            await eventually_in_loop(lambda: "is not in the database" in publisher.problem)
            add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
            later.append(True)
            await eventually_in_loop(lambda: not publisher.problem)
            assert ads.snapshot.version == current_snapshot(hub).version != first.version

    asyncio.run(run())


@in_files
def test_a_database_that_cannot_be_looked_at_ends_no_round(hub: Hub) -> None:
    place = hub.directory / "elsewhere"
    elsewhere = replace(hub, database=Database(place / DATABASE_FILE))

    async def run() -> None:
        async with publishing(elsewhere, current_snapshot(hub)) as (publisher, _):
            await eventually_in_loop(lambda: "OperationalError" in publisher.problem)
            place.symlink_to(hub.directory)
            await eventually_in_loop(lambda: not publisher.problem)

    asyncio.run(run())
    elsewhere.database.close()


class KilledError(Exception):
    """Stands for the end of a command's process at the moment of its signature."""


class Killed(Keys):
    """Keys of a command that is killed when it signs."""

    def signer_of(self, _certificate: x509.Certificate, _name: str) -> Signer:
        raise KilledError


def test_what_a_killed_command_approved_is_signed_by_the_running_hub(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    request = submit_request(hub, issuer, make_csr())

    async def run() -> None:
        async with publishing(hub, current_snapshot(hub)) as (publisher, _):
            killed = replace(hub, keys=keys_as(Killed, hub))
            with pytest.raises(KilledError):
                approve_request(killed, request.id)
            with hub.read() as connection:
                serial = connection.exec_driver_sql("SELECT serial FROM certificate").scalar_one()
            await eventually_in_loop(lambda: show_certificate(hub, serial).state(hub.now()) == "issued")
            assert publisher.problem == ""

    asyncio.run(run())


@pytest.mark.envoy
def test_the_status_of_the_running_hub_tells_what_failed(running_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    # The hub is not to find it before it is taken away.
    monkeypatch.setattr(sealed_keys, "add", lambda *_: None)
    rotate_client_certificate(running_hub)
    control(running_hub, "POST", "/apply")
    status = control(running_hub, "GET", "/status")
    assert status is not None
    assert "the private key client-" in status["problem"]


def test_what_is_due_by_the_clock_is_done_and_published(hub: Hub) -> None:
    due = next_renewal(hub, Role.SERVER)
    assert due is not None
    first, later = current_snapshot(hub), replace(hub, now=lambda: due)

    async def run() -> None:
        async with publishing(later, first) as (publisher, ads):
            # Revocation lists come before it, and are another version already.
            await eventually_in_loop(lambda: own_certificates(hub)["server"]["renewal_at"] > due.isoformat())
            await eventually_in_loop(lambda: ads.snapshot.version == current_snapshot(later).version != first.version)
            assert publisher.problem == ""

    asyncio.run(run())


def test_upkeep_that_fails_is_a_problem_and_stops_no_publishing(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    due = next_renewal(hub, Role.CLIENT)
    assert due is not None
    first = current_snapshot(hub)

    async def run(later: Hub) -> None:
        async with publishing(later, first) as (publisher, ads):
            await eventually_in_loop(lambda: "the client certificate is not renewed" in publisher.problem)
            add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
            await eventually_in_loop(lambda: ads.snapshot.version != first.version)

    with without_key(hub, "client-ca-1") as opened:
        asyncio.run(run(replace(opened, now=lambda: due)))
    assert caplog.text.count("the client certificate is not renewed") == 1


def test_whoever_has_not_the_turn_publishes_and_keeps_up_only_what_it_was_asked_for(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    def due() -> bool:
        return any(moment <= hub.now() for _, moment in lists_due(hub))

    held, first = [False], current_snapshot(hub)

    async def run() -> None:
        async with publishing(hub, first, lambda: held[0]) as (publisher, ads):
            add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
            await eventually_in_loop(lambda: ads.snapshot.version != first.version)
            assert due()
            await publisher.apply()
            assert not due()

    async def take_over() -> None:
        async with publishing(hub, first, lambda: held[0]) as (_, ads):
            await eventually_in_loop(lambda: ads.snapshot.version != first.version)
            assert due()
            # Nobody has changed anything since.
            held[0] = True
            await eventually_in_loop(lambda: not due())

    assert due()
    asyncio.run(run())
    revoke_certificate(
        hub, approve_request(hub, submit_request(hub, issuer, make_csr()).id).serial, RevocationReason.SUPERSEDED
    )
    asyncio.run(take_over())


def test_whoever_has_not_the_turn_signs_the_head_of_the_audit_in_its_own_directory(hub: Hub) -> None:
    def signed() -> int:
        return int(read_head((hub.directory / HEAD_FILE).read_bytes(), HEAD_FILE).lines)

    async def run() -> None:
        async with publishing(hub, current_snapshot(hub), lambda: False) as (publisher, _):
            add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
            await eventually_in_loop(lambda: signed() == lines(hub))
            last = lines(hub)
            with hub.write() as transaction:
                unguarded(transaction.connection)
                transaction.connection.execute(delete(schema.audit).where(schema.audit.c.sequence == last))
            add_service(hub, Service("vault", "/vault", "http://127.0.0.1:9000"))
            await eventually_in_loop(lambda: "the head of the audit is not signed" in publisher.problem)

    before = signed()
    asyncio.run(run())
    assert signed() == before + 1


def lines(hub: Hub) -> int:
    with hub.read() as connection:
        return audit.last(connection)[0]


def test_what_failed_when_it_was_asked_is_not_told_for_ever_by_whoever_has_not_the_turn(hub: Hub) -> None:
    due = next_renewal(hub, Role.CLIENT)
    assert due is not None
    clock, held = [due], [False]

    async def run(later: Hub) -> None:
        async with publishing(later, current_snapshot(hub), lambda: held[0]) as (publisher, _):
            await publisher.apply()
            assert "the client certificate is not renewed" in publisher.problem
            # By now the one that has the turn has tried again.
            clock[0] += AGAIN + timedelta(seconds=1)
            assert publisher.problem == ""
            held[0] = True
            await eventually_in_loop(lambda: "the client certificate is not renewed" in publisher.problem)

    with without_key(hub, "client-ca-1") as opened:
        asyncio.run(run(replace(opened, now=lambda: clock[0])))


def test_the_end_of_an_endorsed_chain_changes_the_version(hub: Hub, make_ca: MakeCa) -> None:
    tsp_id = register(hub, make_ca)
    before = current_snapshot(hub)
    later = hub.now() + timedelta(days=4000)
    after = current_snapshot(replace(hub, now=lambda: later))
    assert [tsp_id, None] == [customer_in(each) for each in (before, after)]
    assert after.version != before.version


def customer_in(snapshot: Snapshot) -> str | None:
    """Return the one customer whose server is in the snapshot, if any."""
    found = [each[0] for name in snapshot.of(CLUSTER_TYPE) if (each := customer_of(name))]
    return found[0] if found else None


def test_a_probe_is_sent_its_customers_server_and_what_is_replaced_stays_a_while(
    hub: Hub, make_ca: MakeCa, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clusters(ads: AdsServer, prefix: str) -> list[str]:
        return [each for each in ads.snapshot.of(CLUSTER_TYPE) if each.startswith(prefix)]

    async def run() -> None:
        async with publishing(hub, current_snapshot(hub)) as (publisher, ads):
            assert await publisher.send_for_probe("12345678") is False
            register(hub, make_ca)
            # At once, also if what is stored is not published yet.
            assert await publisher.send_for_probe("12345678") is True
            assert (len(clusters(ads, "probe/")), len(clusters(ads, "customer/"))) == (1, 1)
            before = set(clusters(ads, "customer/"))
            set_endpoint(hub, "12345678", "https://bank.localhost:2")
            await eventually_in_loop(lambda: before < set(clusters(ads, "customer/")))
            assert ads.snapshot.version == current_snapshot(hub).version
            assert await publisher.send_for_probe("12345678") is True
            await eventually_in_loop(lambda: len(clusters(ads, "customer/")) == 1 and not clusters(ads, "probe/"))

    monkeypatch.setattr(passing, "REPLACED_SECONDS", 0.5)
    monkeypatch.setattr(passing, "PROBED_SECONDS", 0.5)
    asyncio.run(run())


@in_files
def test_a_database_that_cannot_be_written_keeps_nothing_open(hub: Hub) -> None:
    later = hub.directory / "later"
    waiting = replace(hub, database=Database(later / DATABASE_FILE))
    upkeep(hub)
    state = hub_state(hub)
    before = replace(state, identities=(Identity("urn:bothways:PPR:12345678:1a", "12345678"),))
    seen: list[str] = []

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", build_snapshot(before))
        publisher = Publisher(waiting, ads, lambda latest: seen.append(latest.shut))
        await publisher.shut(before, "let in")
        shut = build_snapshot(replace(state, shut="let in", closures=1))
        assert (ads.snapshot.version, seen) == (shut.version, ["let in"])
        assert "let in" in publisher.problem
        assert "cannot be used" in publisher.problem
        # A round that had read the database before that opens nothing.
        publisher._take(before, before, (build_snapshot(before),) * 2, None)
        assert (ads.snapshot.version, seen) == (shut.version, ["let in"])
        later.symlink_to(hub.directory)
        task = asyncio.create_task(publisher.run())
        async with asyncio.timeout(30):
            await eventually_in_loop(lambda: current_closure(hub) is not None and "cannot" not in publisher.problem)
        assert (ads.snapshot.version, set(seen)) == (shut.version, {"let in"})
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        asyncio.run(run())
    finally:
        waiting.database.close()
    assert hub_state(hub).shut == "let in"


async def confirm_all(hub: Hub, ads: AdsServer) -> Any:
    """Take what is published as the Envoy beside the hub would; return the channel, which has to stay open."""
    channel = grpc.aio.insecure_channel(f"unix:{hub.run_directory / 'ads.sock'}")
    await Node(channel, embedded_node("PPR")).take_all(ads.snapshot)
    await ads.confirmed()
    return channel


def test_what_envoy_confirmed_is_saved_before_it_is_said_to_be_in_force(hub: Hub) -> None:
    saved = SavedSnapshot(hub.run_directory / "snapshot", lambda: b"secret")

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub))
        await ads.start()
        upkeep(hub)
        publisher = Publisher(hub, ads, saved=saved)
        await publisher._publish()
        await publisher._save()
        assert saved.load() is None, "nobody has confirmed it"
        channel = await confirm_all(hub, ads)
        applied = await publisher.apply()
        found = saved.load()
        assert applied.in_force
        assert found is not None
        # Without what is there for a while.
        assert found.snapshot == current_snapshot(hub)
        assert found.snapshot.version == ads.snapshot.version
        await channel.close()
        await ads.stop()

    asyncio.run(run())


def test_what_cannot_be_packed_is_a_problem_while_a_node_lacks_it_and_all_else_is_there(hub: Hub) -> None:
    good = current_snapshot(hub)
    clusters = dict(good.of(CLUSTER_TYPE)) | {"bad": Deferred("bad", "1", lambda: 1 // 0)}
    bad = replace(good, version="bad", resources=dict(good.resources) | {CLUSTER_TYPE: clusters})

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", bad)
        await ads.start()
        publisher = Publisher(hub, ads)
        assert publisher.problem == ""
        async with grpc.aio.insecure_channel(f"unix:{hub.run_directory / 'ads.sock'}") as channel:
            node = Node(channel, "eu-1")
            response = await node.ask(CLUSTER_TYPE)
            assert {each.name for each in response.resources} == set(good.of(CLUSTER_TYPE))
            await node.answer(response)
            assert publisher.problem.startswith("bad cannot be packed, so no node is sent it: ZeroDivisionError")
            ads.publish(good)
            await node.answer(await node.read())
            assert publisher.problem == ""
        await ads.stop()

    asyncio.run(run())


def test_what_another_node_alone_confirmed_is_not_saved(hub: Hub) -> None:
    saved = SavedSnapshot(hub.run_directory / "snapshot", lambda: b"secret")

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub))
        await ads.start()
        async with grpc.aio.insecure_channel(f"unix:{hub.run_directory / 'ads.sock'}") as channel:
            await Node(channel, "elsewhere").take_all(ads.snapshot)
            await ads.confirmed()
            await Publisher(hub, ads, saved=saved)._save()
        await ads.stop()

    asyncio.run(run())
    assert saved.load() is None


def test_a_snapshot_that_cannot_be_saved_is_a_problem_and_in_force_all_the_same(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    saved = SavedSnapshot(hub.run_directory / "snapshot", lambda: b"secret")
    # A file where the directory has to be: no mode keeps root out.
    (hub.run_directory / "snapshot").touch()

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub))
        await ads.start()
        upkeep(hub)
        publisher = Publisher(hub, ads, saved=saved)
        await publisher._publish()
        channel = await confirm_all(hub, ads)
        assert [(await publisher.apply()).in_force for _ in range(2)] == [True, True]
        assert "an Envoy that starts without the hub would serve an older state" in publisher.problem
        (hub.run_directory / "snapshot").unlink()
        assert (await publisher.apply()).in_force
        assert publisher.problem == ""
        await channel.close()
        await ads.stop()

    asyncio.run(run())
    assert caplog.text.count("would serve an older state") == 1
    assert saved.load() is not None


def test_whoever_waits_for_a_round_finds_published_what_another_one_did_meanwhile(hub: Hub) -> None:
    """The revocation list of a new hub is due: the first round makes it, and the others find nothing to do."""
    found: list[bool] = []

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub))
        publisher = Publisher(hub, ads)

        async def one() -> None:
            await publisher._round()
            found.append(ads.snapshot.version == current_snapshot(hub).version)

        await asyncio.gather(*(one() for _ in range(4)))

    asyncio.run(run())
    assert hub_state(hub).trust.lists
    assert found == [True] * 4


def test_a_revocation_list_is_published_before_all_else_that_is_due(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a new hub is due."""
    published: list[bool] = []

    async def run() -> None:
        ads = AdsServer(hub.run_directory / "ads.sock", current_snapshot(hub))

        def observed(kept: Hub) -> Upkeep:
            published.append(ads.snapshot.version == current_snapshot(hub).version)
            return upkeep(kept)

        monkeypatch.setattr(module, "upkeep", observed)
        assert hub_state(hub).trust.lists == ()
        await Publisher(hub, ads)._round(asked=True)

    asyncio.run(run())
    assert hub_state(hub).trust.lists
    assert published == [True]


@pytest.mark.parametrize("when", ["quiet", "a node came"])
def test_what_is_taken_away_goes_ahead_of_the_maps_and_they_follow(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    monkeypatch.setattr(module, "QUIET", 3600.0)
    revoked, other = (approve_request(hub, submit_request(hub, issuer, make_csr()).id) for _ in range(2))

    async def run() -> None:
        async with publishing(hub, current_snapshot(hub)) as (publisher, ads):
            await publisher._round()
            before = maps(ads.snapshot)
            assert refused(ads.snapshot) == frozenset()
            revoke_certificate(hub, revoked.serial, RevocationReason.UNSPECIFIED)
            await publisher._round()
            assert maps(ads.snapshot) == before
            assert refused(ads.snapshot) == {uri_id(hub.environment, issuer, int(revoked.serial, 16))}
            if when == "quiet":
                publisher._maps_due = 0.0
            else:
                ads.came += 1
            await eventually_in_loop(lambda: not refused(ads.snapshot))
            assert maps(ads.snapshot) == maps(current_snapshot(hub)) != before

    asyncio.run(run())
    assert [each.uri_id for each in hub_state(hub).identities] == [
        uri_id(hub.environment, issuer, int(other.serial, 16))
    ]


def maps(snapshot: Snapshot) -> str:
    """Return the version of the endpoint's routes."""
    return snapshot.of(ROUTE_TYPE)[INBOUND].version


def refused(snapshot: Snapshot) -> frozenset[str]:
    """Return who is refused though the maps have them."""
    found = snapshot.of(EXTENSION_TYPE)[WITHDRAWN_FILTER]
    return refused_by(extension_pb2.TypedExtensionConfig.FromString(found.packed.value).typed_config.value)
