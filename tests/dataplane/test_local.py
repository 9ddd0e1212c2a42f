import asyncio
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx2
import pytest

from bothways.dataplane.local import over_socket, over_socket_async


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.headers['Host']}{self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Path]:
    with socketserver.ThreadingUnixStreamServer(str(tmp_path / "s"), Hello) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield tmp_path / "s"
        server.shutdown()
        thread.join()


def test_a_client_asks_at_the_socket(served: Path) -> None:
    with httpx2.Client(transport=over_socket(served)) as client:
        assert client.get("http://hub/status").text == "hub/status"


def test_an_asynchronous_client_asks_there_too(served: Path) -> None:
    async def ask() -> str:
        async with httpx2.AsyncClient(transport=over_socket_async(served)) as client:
            return (await client.get("http://hub/status")).text

    assert asyncio.run(ask()) == "hub/status"


def test_nothing_is_believed_by_tls(served: Path) -> None:
    with httpx2.Client(transport=over_socket(served)) as client, pytest.raises(httpx2.TransportError):
        client.get("https://hub/status")
