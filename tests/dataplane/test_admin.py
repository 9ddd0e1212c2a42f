"""The admin interface of the real Envoy is asked; where none answers, that is said."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from bothways.dataplane.admin import Admin, answers
from bothways.dataplane.supervisor import ADMIN_SOCKET
from bothways.errors import Unusable
from bothways.operations.hub import Hub


def test_where_nobody_listens_that_is_said(tmp_path: Path) -> None:
    admin = Admin(tmp_path / "admin.sock")
    assert not answers(tmp_path / "admin.sock")
    assert asyncio.run(admin.live_epoch()) is None
    with pytest.raises(Unusable, match="no Envoy answers at"):
        asyncio.run(admin.ask("GET", "/stats"))


@pytest.mark.envoy
def test_a_live_envoy_is_asked_and_drained(running_hub: Hub) -> None:
    admin = Admin(running_hub.run_directory / ADMIN_SOCKET)
    egress = f"http://{running_hub.settings.egress_address}:{running_hub.settings.egress_port}/"
    assert asyncio.run(admin.live_epoch()) == 0
    with pytest.raises(Unusable, match="did not answer GET /no/such/path"):
        asyncio.run(admin.ask("GET", "/no/such/path"))
    with httpx2.Client(trust_env=False, timeout=10) as client:
        assert client.get(egress).status_code == 404
        # The connection is at rest, and does not hold up the end.
        assert asyncio.run(admin.drain(30)) is True
    with pytest.raises(httpx2.ConnectError), httpx2.Client(trust_env=False, timeout=10) as client:
        client.get(egress)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "it closed the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "peer closed connection without sending"),
        (b"no HTTP at all\r\n\r\n", "illegal status line"),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 7\r\n\r\nnot yet", "503 not yet"),
    ],
)
def test_an_answer_that_is_none_is_told(short: Path, said: bytes, why: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who only knocks asks nothing.
        if await reader.read(1000):
            writer.write(said)
        writer.close()

    async def ask() -> None:
        async with await asyncio.start_unix_server(answer, short / "admin.sock"):
            with pytest.raises(Unusable, match=f"did not answer GET /stats at .*{why}"):
                await Admin(short / "admin.sock").ask("GET", "/stats")

    asyncio.run(ask())
