import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore2
import httpx2
import pytest

from bothways.spoke.localhost import LocalhostBackend, LocalhostTransport


class _Ok(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server on 127.0.0.1."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ok) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["localhost", "api.localhost", "a.b.c.localhost", "127.0.0.1"])
def test_names_under_localhost_are_this_machine(port: int, name: str) -> None:
    with closing(LocalhostBackend().connect_tcp(name, port, timeout=5)) as stream:
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)


@pytest.mark.parametrize("name", ["notlocalhost.invalid", "localhost.invalid", "api.localhost.invalid"])
def test_names_that_only_look_like_it_go_to_the_resolver(port: int, name: str) -> None:
    with pytest.raises(httpcore2.ConnectError):
        LocalhostBackend().connect_tcp(name, port, timeout=5)


def test_the_client_follows_no_proxy_of_the_environment(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    transport = LocalhostTransport(ssl.create_default_context())
    with httpx2.Client(transport=transport, timeout=5) as client:
        assert client.get(f"http://api.localhost:{port}/").status_code == 204


def test_an_open_connection_is_used_again(port: int) -> None:
    transport = LocalhostTransport(ssl.create_default_context())
    with httpx2.Client(transport=transport, timeout=5) as client:
        seen = {
            client.get(f"http://api.localhost:{port}/").extensions["network_stream"].get_extra_info("client_addr")
            for _ in range(3)
        }
    assert len(seen) == 1
