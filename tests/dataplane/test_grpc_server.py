"""How the servers for remote nodes behave below the calls; the calls: `test_ads.py`, `tests/wire/test_nodes.py`."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import free_ports

from bothways.dataplane import grpc_server
from bothways.dataplane.admission import Admission
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.xds.state import Address

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000 04 00 00000000")
PING, GOAWAY, ACK = 6, 7, 1


async def http2(hub: Hub, directory: Path, test: Callable[[Any, Any], Awaitable[None]]) -> None:
    """Let a node speak HTTP/2 by hand to a server for remote nodes, without a call."""
    [port] = free_ports(1)
    hub = replace(hub, settings=replace(hub.settings, nodes_port=port, nodes_connectivity_port=port))
    bootstrap_node(hub, "eu-1", directory, [Address("127.0.0.1", port)], [Address("127.0.0.1", port)])
    context = ssl.create_default_context(cafile=directory / "ca.crt")
    context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    context.set_alpn_protocols(["h2"])
    server = await grpc_server.start_remote("127.0.0.1", port, Admission(hub_state(hub)).credentials())
    try:
        async with asyncio.timeout(20):
            name = hub.control_plane_name
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
            writer.write(PREFACE)
            await test(reader, writer)
            writer.transport.abort()
    finally:
        await server.stop(None)


async def frame(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Return type and flags of the next frame."""
    head = await reader.readexactly(9)
    await reader.readexactly(int.from_bytes(head[:3], "big"))
    return head[3], head[4]


def test_a_node_may_ping_as_often_as_we_say_and_is_not_cut_off(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_server, "_PING_LEAST_MILLISECONDS", 0)

    async def test(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(20):
            writer.write(bytes.fromhex("000008 06 00 00000000") + bytes(8))
            while (seen := await frame(reader)) != (PING, ACK):
                assert seen[0] != GOAWAY

    asyncio.run(http2(hub, tmp_path, test))


def test_a_node_that_answers_no_ping_is_cut_off(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_server, "_PING_MILLISECONDS", 100)
    monkeypatch.setattr(grpc_server, "_PING_TIMEOUT_MILLISECONDS", 100)

    async def test(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        async def listen() -> None:
            while True:
                await frame(reader)

        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await listen()

    asyncio.run(http2(hub, tmp_path, test))
