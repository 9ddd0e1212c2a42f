"""A node knows the control plane by its name under the node CA, and shows its own certificate to nobody else."""

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from tests.conftest import free_ports
from tests.eventually import eventually_in_loop

from bothways.dataplane import grpc_server, hub_line
from bothways.dataplane.admission import Admission
from bothways.dataplane.grpc_server import start_remote
from bothways.dataplane.hub_line import HubLine
from bothways.dataplane.node_service import SERVICE, TRUST, node_handler
from bothways.demo.customer_ca import make_server_files
from bothways.errors import Unusable
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.node_settings import read_node
from bothways.xds.state import Address, RemoteHub


@pytest.fixture
def node(hub: Hub, tmp_path: Path) -> tuple[Hub, Path]:
    [port] = free_ports(1)
    there = replace(hub, settings=replace(hub.settings, nodes_port=port, nodes_connectivity_port=port))
    bootstrap_node(there, "eu-1", tmp_path / "eu-1", [Address("127.0.0.1", port)], [Address("127.0.0.1", port)])
    return there, tmp_path / "eu-1"


async def answered(directory: Path, hub: RemoteHub) -> bool:
    line = HubLine(directory, hub)
    try:
        return await line.first_word()
    finally:
        await line.close()


def test_the_control_plane_answers_under_its_name_alone(node: tuple[Hub, Path]) -> None:
    hub, directory = node

    async def test() -> None:
        there = read_node(directory).hub
        assert not await answered(directory, there)
        server = await start_remote("127.0.0.1", hub.settings.nodes_port, Admission(hub_state(hub)).credentials())
        assert await answered(directory, there)
        assert not await answered(directory, replace(there, name="control-plane.elsewhere.example"))
        await server.stop(None)

    asyncio.run(test())


def test_whoever_else_answers_at_its_address_is_nobody(node: tuple[Hub, Path], tmp_path: Path) -> None:
    hub, directory = node
    other = make_server_files(tmp_path, "Impostor", hub.control_plane_name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other.certificate, other.key)
    context.set_alpn_protocols(["h2"])

    async def test() -> None:
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", hub.settings.nodes_port, ssl=context)
        async with server:
            assert not await answered(directory, read_node(directory).hub)

    asyncio.run(test())


def test_a_control_plane_that_says_nothing_is_not_waited_for(
    node: tuple[Hub, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, directory = node
    monkeypatch.setattr(hub_line, "_FIRST_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", hub.settings.nodes_port)):
        began = time.monotonic()
        assert not asyncio.run(answered(directory, read_node(directory).hub))
    assert time.monotonic() - began < 20


def test_a_key_that_others_can_read_is_not_used(node: tuple[Hub, Path]) -> None:
    _, directory = node
    (directory / "tls.key").chmod(0o644)
    with pytest.raises(Unusable, match="chmod 600"):
        asyncio.run(answered(directory, read_node(directory).hub))


@asynccontextmanager
async def silent_at_will(to: int, heard: list[int]) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Pass on what comes to a port, until the event is set; from then on nothing comes through, and nothing is said.

    `heard` is how long each piece was that came from either side.
    """
    silent, tasks = asyncio.Event(), set[asyncio.Task[None]]()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while data := await reader.read(65536):
                    heard.append(len(data))
                    if not silent.is_set():
                        writer.write(data)
        finally:
            writer.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", to)
        tasks.update(asyncio.create_task(each) for each in (passed(reader, there[1]), passed(there[0], writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], silent
    finally:
        server.close()
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_of_several_control_planes_one_that_serves_is_found_and_left_when_it_says_no_word(
    node: tuple[Hub, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, directory = node
    pings = {"grpc.keepalive_time_ms": 300, "grpc.keepalive_timeout_ms": 300, "grpc.http2.ping_timeout_ms": 300}
    # Sooner, and nothing that is not said there.
    sooner = [(name, pings.get(name, value)) for name, value in hub_line._OPTIONS]
    monkeypatch.setattr(hub_line, "_OPTIONS", sooner)
    monkeypatch.setattr(grpc_server, "_PING_LEAST_MILLISECONDS", 0)
    lacking = {"lags": "the database does not answer"}

    async def lacks_something() -> str:
        return lacking["lags"]

    async def test() -> None:
        state, ports, heard, pieces = hub_state(hub), free_ports(3), list[bool](), list[int]()
        lagging, serving = Admission(state, lacks_something), Admission(state)
        servers = [
            await start_remote("127.0.0.1", port, each.credentials(), node_handler(_none, lambda: "the CA", each))
            for port, each in ((ports[1], lagging), (ports[2], serving))
        ]

        async def answers(*, there: bool) -> None:
            heard.append(there)

        async with asyncio.timeout(100), silent_at_will(ports[2], pieces) as (through, silent):
            # Nobody is at the first; the second says that it serves nobody now.
            places = tuple(Address("127.0.0.1", each) for each in (ports[0], ports[1], through))
            line = HubLine(directory, replace(read_node(directory).hub, control_planes=places))
            following = asyncio.create_task(line.follow(answers))
            await eventually_in_loop(lambda: heard == [True])
            assert json.loads(await line.channel.unary_unary(f"/{SERVICE}/{TRUST}")(b"")) == {"trust": "the CA"}
            # However long nothing else is said, it is pinged: each time a ping and its answer.
            pieces.clear()
            await eventually_in_loop(lambda: len(pieces) > 10, "it was pinged no more")
            silent.set()
            # The library's own minute for a ping is another time-out than ours.
            async with asyncio.timeout(30):
                await eventually_in_loop(lambda: heard[:2] == [True, False])
            lacking["lags"] = ""
            await eventually_in_loop(lambda: heard[-1])
            await servers[0].stop(None)
            await eventually_in_loop(lambda: not heard[-1])
            silent.clear()
            await eventually_in_loop(lambda: heard[-1])
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await line.close()
        await servers[1].stop(None)

    asyncio.run(test())


def _none(name: str, _shown: str, _request: bytes) -> tuple[x509.Certificate, str]:
    raise AssertionError(name)
