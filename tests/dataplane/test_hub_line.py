"""A node knows the control plane by its name under the node CA, and shows its own certificate to nobody else."""

import asyncio
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import free_ports

from bothways.dataplane import hub_line
from bothways.dataplane.admission import Admission
from bothways.dataplane.grpc_server import start_remote
from bothways.dataplane.hub_line import HubLine
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
    bootstrap_node(there, "eu-1", tmp_path / "eu-1", Address("127.0.0.1", port), Address("127.0.0.1", port))
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
