"""What passes between a remote Envoy and the control plane, and what of it is saved. With real Envoys: `tests/wire`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import grpc
import grpc.aio
import pytest
from cryptography import x509
from envoy.service.discovery.v3 import discovery_pb2
from envoy.service.load_stats.v3 import lrs_pb2
from tests.conftest import free_ports
from tests.dataplane.test_ads import METHOD, Node
from tests.dataplane.test_load_report import cluster_of, report, reporting
from tests.dataplane.test_on_demand import Second
from tests.eventually import eventually_in_loop
from tests.xds.test_followed import NAMED

from bothways.dataplane.admin import answers
from bothways.dataplane.admission import Admission
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.hub_line import HubLine, Identity
from bothways.dataplane.load_report import Load, load_report_handler
from bothways.dataplane.node_service import node_handler
from bothways.dataplane.on_demand import PASSED_ON
from bothways.dataplane.relay import Relay
from bothways.dataplane.saved import SavedSnapshot
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.node_renewal import current_trust, renew_node
from bothways.operations.node_settings import read_node
from bothways.operations.nodes import withdraw_node
from bothways.operations.standing import unknown
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.xds import names
from bothways.xds.one_stream import over_one_stream
from bothways.xds.snapshot import build_snapshot
from bothways.xds.state import Address

ASKED = {**NAMED, names.SECRET_TYPE: [*NAMED[names.SECRET_TYPE], names.PROBE_TRUST]}


@dataclass
class Place:
    """A hub's server for nodes, and the relay of a node, with what it saves."""

    hub: Hub
    ads: AdsServer
    relay: Relay
    socket: Path
    saved: SavedSnapshot
    directory: Path
    line: HubLine
    admission: Admission
    reported: list[Load]

    @property
    def identity(self) -> Identity:
        return Identity(*((self.directory / each).read_bytes() for each in ("tls.key", "tls.crt", "ca.crt")))


@pytest.fixture
def nodes_hub(hub: Hub) -> Hub:
    [port] = free_ports(1)
    return replace(hub, settings=replace(hub.settings, nodes_port=port, nodes_connectivity_port=port))


async def nothing() -> str:
    return ""


def control_plane(
    hub: Hub, lacks: Callable[[], Awaitable[str]] = nothing, reported: list[Load] | None = None
) -> tuple[AdsServer, Admission]:
    state = hub_state(hub)
    admission = Admission(state, lacks)
    renewals = partial(node_handler, partial(renew_node, hub), partial(current_trust, hub))
    also = (renewals, partial(load_report_handler, None if reported is None else reported.extend))
    return AdsServer(hub.run_directory / "ads.sock", build_snapshot(state), admission, also), admission


async def with_relay(
    hub: Hub, test: Callable[[Place], Awaitable[None]], lacks: Callable[[], Awaitable[str]] = nothing
) -> None:
    directory = hub.directory.parent / "eu-1"
    there = Address("127.0.0.1", hub.settings.nodes_port)
    bootstrap_node(hub, "eu-1", directory, [there], [there])
    reported: list[Load] = []
    ads, admission = control_plane(hub, lacks, reported)
    await ads.start_remote("127.0.0.1", hub.settings.nodes_port)
    saved, socket = SavedSnapshot(directory / "snapshot", lambda: b"secret"), directory / "ads.sock"
    line = HubLine(directory, read_node(directory).hub)
    relay = Relay(socket, line, saved, hub.now)
    await relay.begin()
    running = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(60):
            await test(Place(hub, ads, relay, socket, saved, directory, line, admission, reported))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await ads.stop()


async def say(call: Any, message: Any) -> None:
    """Write a message; that the stream has ended meanwhile is seen by who asks for its status."""
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        await call.write(message)


@asynccontextmanager
async def envoy(
    socket: Path, confirms: Callable[[str], bool] = lambda _: True
) -> AsyncIterator["asyncio.Task[grpc.StatusCode]"]:
    """Ask for everything and confirm all that comes, as Envoy does; the task ends with the status of the stream.

    Of types that it does not confirm, it says no word.
    """
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        call = channel.stream_stream(
            METHOD,
            request_serializer=discovery_pb2.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )()

        async def talk() -> grpc.StatusCode:
            for kind in (names.CLUSTER_TYPE, names.LISTENER_TYPE, *ASKED):
                request = discovery_pb2.DeltaDiscoveryRequest(
                    type_url=kind, resource_names_subscribe=ASKED.get(kind, ())
                )
                request.node.id = "eu-1"
                await say(call, request)
            with contextlib.suppress(grpc.aio.AioRpcError):
                while (answer := await call.read()) is not grpc.aio.EOF:
                    said = discovery_pb2.DeltaDiscoveryRequest(type_url=answer.type_url, response_nonce=answer.nonce)
                    if confirms(answer.type_url):
                        await say(call, said)
            return cast("grpc.StatusCode", await call.code())

        talking = asyncio.create_task(talk())
        try:
            yield talking
        finally:
            call.cancel()
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)


def test_what_the_hub_knows_to_be_confirmed_was_saved_before(nodes_hub: Hub) -> None:
    async def test(place: Place) -> None:
        async with envoy(place.socket):
            assert await place.ads.settled()
            held = place.saved.load()
            assert held is not None
            wanted = place.ads.snapshot.remote["eu-1"]
            assert held.snapshot.version == wanted.version
            assert held.snapshot.resources == wanted.resources
            [node] = place.ads.nodes()
            assert (node["settled"], node["refused"]) == (True, {})

    asyncio.run(with_relay(nodes_hub, test))


def test_what_is_not_whole_is_not_saved(nodes_hub: Hub) -> None:
    async def test(place: Place) -> None:
        async with envoy(place.socket, confirms=lambda kind: kind == names.CLUSTER_TYPE):
            # Its word is passed on after all was saved that is to be.
            await eventually_in_loop(lambda: place.ads.nodes()[0]["answered_at"], "nothing was confirmed")
            assert place.saved.load() is None

    asyncio.run(with_relay(nodes_hub, test))


def test_what_cannot_be_saved_is_in_force_and_told_and_saved_when_it_can_be(
    nodes_hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(place: Place) -> None:
        stray = place.directory / "snapshot"
        stray.write_bytes(b"")
        async with envoy(place.socket):
            assert await place.ads.settled()
            assert "would serve an older state" in place.relay.problem
            stray.unlink()
            await eventually_in_loop(lambda: place.relay.problem == "", "it was not tried again")
            assert place.saved.load() is not None

    asyncio.run(with_relay(nodes_hub, test))
    assert caplog.text.count("would serve an older state") == 1


def test_the_second_stream_goes_where_the_first_one_goes_and_what_it_brings_is_saved(
    nodes_hub: Hub, issuer: str, make_ca: Callable[..., Any]
) -> None:
    set_endpoint(nodes_hub, issuer, "https://bank.example")
    endorse_chain(nodes_hub, submit_chain(nodes_hub, issuer, certificate_pem(make_ca("Root")[1]).encode()).id)

    async def test(place: Place) -> None:
        [wanted] = [each for each in place.ads.snapshot.of(names.CLUSTER_TYPE) if names.customer_of(each)]
        async with grpc.aio.insecure_channel(f"unix:{place.socket}") as channel:
            early = Second(channel, "eu-1")
            # It may be told before it has asked.
            with suppress(grpc.aio.AioRpcError):
                await early.ask(wanted)
            assert await early.call.code() is grpc.StatusCode.UNAVAILABLE
            async with envoy(place.socket):
                assert await place.ads.settled()
                second = Second(channel, "eu-1")
                await second.ask(wanted)
                assert [each.name for each in (await second.take()).resources] == [wanted]
                await eventually_in_loop(lambda: place.ads.nodes()[0]["customers"] == 1)
                held = place.saved.load()
                assert held is not None
                assert wanted in held.snapshot.of(names.CLUSTER_TYPE)
            # And it ends with the first: else this would wait for ever.
            assert second.call.done() or await second.call.code() is not None

    asyncio.run(with_relay(nodes_hub, test))


@asynccontextmanager
async def line_of(place: Place, name: str) -> AsyncIterator[HubLine]:
    """Give a node another certificate, in files of its own, and open its line with that."""
    directory, there = place.directory.with_name("other"), Address("127.0.0.1", place.hub.settings.nodes_port)
    bootstrap_node(place.hub, name, directory, [there], [there])
    place.ads.follow(hub_state(place.hub))
    place.ads.publish(build_snapshot(hub_state(place.hub)))
    line = HubLine(directory, read_node(directory).hub)
    try:
        yield line
    finally:
        await line.close()


def test_a_node_does_not_get_on_to_the_streams_of_another_by_its_name(nodes_hub: Hub) -> None:
    async def test(place: Place) -> None:
        async with line_of(place, "eu-2") as line, envoy(place.socket):
            await eventually_in_loop(lambda: [each["connected"] for each in place.ads.nodes()] == [True, False])
            for name in ("eu-1", "eu-2"):
                second = Second(line.channel, name)
                await second.ask("customer/1/2")
                assert await second.call.code() is grpc.StatusCode.UNAVAILABLE

    asyncio.run(with_relay(nodes_hub, test))


def test_a_second_stream_ends_with_the_certificate_by_which_it_was_let_in(nodes_hub: Hub) -> None:
    async def test(place: Place) -> None:
        async with line_of(place, "eu-1") as line:
            first = Node(line.channel, "eu-1")
            await first.ask(names.LISTENER_TYPE)
            second = Second(place.line.channel, "eu-1")
            await second.ask("customer/1/2")
            await second.take()
            # As after the overlap, when the newer certificate alone is the node's.
            state = hub_state(place.hub)
            [node], shown = state.nodes, x509.load_pem_x509_certificate(place.identity.certificate)
            left = node.fingerprints - {fingerprint(shown)}
            place.ads.follow(replace(state, nodes=(replace(node, fingerprints=left),)))
            assert await second.call.code() is grpc.StatusCode.OK
            assert [each["connected"] for each in place.ads.nodes()] == [True]

    asyncio.run(with_relay(nodes_hub, test))


def test_behind_an_agent_that_passes_on_one_stream_alone_a_node_is_asked_for_no_second(nodes_hub: Hub) -> None:
    async def listeners(place: Place, **metadata: Any) -> dict[str, str]:
        call = place.line.channel.stream_stream(
            METHOD,
            request_serializer=discovery_pb2.DeltaDiscoveryRequest.SerializeToString,
            response_deserializer=discovery_pb2.DeltaDiscoveryResponse.FromString,
        )(**metadata)
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=names.LISTENER_TYPE)
        request.node.id = "eu-1"
        await call.write(request)
        answer = await call.read()
        call.cancel()
        return {each.name: each.version for each in answer.resources}

    async def test(place: Place) -> None:
        [now] = place.ads.snapshot.remote.values()
        for wanted, metadata in ((now, {"metadata": (PASSED_ON,)}), (over_one_stream(now), {})):
            versions = {name: each.version for name, each in wanted.of(names.LISTENER_TYPE).items()}
            assert await listeners(place, **metadata) == versions

    asyncio.run(with_relay(nodes_hub, test))


def test_the_word_of_the_control_plane_reaches_envoy(nodes_hub: Hub) -> None:
    async def test(place: Place) -> None:
        async with envoy(place.socket) as talking:
            assert await place.ads.settled()
            withdraw_node(place.hub, "eu-1", "tested")
            place.ads.follow(hub_state(place.hub))
            assert await talking is grpc.StatusCode.PERMISSION_DENIED
        async with envoy(place.socket) as talking:
            # Whoever is found writing when the stream ends is told no more than that by the library.
            assert await talking in {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL}
        # It is there, and says no: nothing stands in for it.
        assert answers(place.socket)

    asyncio.run(with_relay(nodes_hub, test))


def test_what_envoy_reports_of_its_load_reaches_the_control_plane_and_only_that_of_a_node_on_record(
    nodes_hub: Hub,
) -> None:
    async def test(place: Place) -> None:
        async with grpc.aio.insecure_channel(f"unix:{place.socket}") as channel:
            call = reporting(channel)
            await call.write(lrs_pb2.LoadStatsRequest())
            assert (await call.read()).send_all_clusters is True
            await call.write(report(CALLED=True))
            await eventually_in_loop(lambda: place.reported == [Load(cluster_of("CALLED"), called=True)])
            withdraw_node(place.hub, "eu-1", "tested")
            place.ads.follow(hub_state(place.hub))
            await say(call, report(LATER=True))
            assert await call.code() is grpc.StatusCode.PERMISSION_DENIED
            assert len(place.reported) == 1

    asyncio.run(with_relay(nodes_hub, test))


def test_it_listens_only_while_the_control_plane_answers(nodes_hub: Hub) -> None:
    async def test(place: Place) -> None:
        assert answers(place.socket)
        async with envoy(place.socket) as talking:
            assert await place.ads.settled()
            await place.ads.stop()
            assert await talking is grpc.StatusCode.UNAVAILABLE
        await eventually_in_loop(lambda: not answers(place.socket), "it listens for nobody")
        again, _ = control_plane(place.hub)
        await again.start_remote("127.0.0.1", place.hub.settings.nodes_port)
        await eventually_in_loop(lambda: answers(place.socket), "it does not come back")
        async with envoy(place.socket):
            assert await again.settled()
        await again.stop()

    asyncio.run(with_relay(nodes_hub, test))


def test_a_control_plane_that_lags_gives_a_node_nothing_and_is_as_one_that_is_away(
    nodes_hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    lacking = ["change 7 is published here, and 8 is committed"]

    async def lacks() -> str:
        return lacking[0]

    async def test(place: Place) -> None:
        assert not answers(place.socket)
        call = place.line.channel.stream_stream(METHOD)()
        with pytest.raises(grpc.aio.AioRpcError, match="and 8 is committed") as refused:
            await call.read()
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert place.ads.nodes() == [unknown("eu-1")]
        lacking[0] = ""
        await eventually_in_loop(lambda: answers(place.socket), "it is not asked again")
        async with envoy(place.socket) as talking:
            assert await place.ads.settled()
            # Whoever was let in is served on: it is given nothing that is older than what it was given here.
            lacking[0] = "the database does not answer"
            place.ads.publish(place.ads.snapshot)
            assert not talking.done()
        async with envoy(place.socket) as talking:
            assert await talking in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL}
        await eventually_in_loop(lambda: not answers(place.socket), "it listens for one that serves nobody")

    asyncio.run(with_relay(nodes_hub, test, lacks))
    assert caplog.text.count("nodes that come are turned away: change 7") == 1
