import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from bothways.spoke.resolver import Question, Resolver
from bothways.spoke.transport import Transport

HOST = "api.hub.test"


class _Server(ThreadingHTTPServer):
    """Answers with its own address; `/slow` only when `go` is set."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address, _Answer)
        self.open: set[socket.socket] = set()
        self.go = threading.Event()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.open.discard(request)


class _Answer(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content = str(self.server.server_address[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.path == "/slow":
            self.wfile.flush()
            self.server.go.wait(60)
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        pass


@pytest.fixture
def servers() -> Iterator[tuple[_Server, _Server]]:
    """Two servers at one port, on 127.0.0.1 and on 127.0.0.2."""
    with ExitStack() as stack:
        first = stack.enter_context(_Server(("127.0.0.1", 0)))
        second = stack.enter_context(_Server(("127.0.0.2", first.server_address[1])))
        for server in (first, second):
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
        yield first, second


@pytest.fixture
def client(dns_server: Any, servers: tuple[_Server, _Server]) -> Iterator[httpx2.Client]:
    """A client of a name whose address is 127.0.0.1 for a second."""
    dns_server.records = {(HOST, "A"): ["1 127.0.0.1"]}
    transport = Transport(ssl.create_default_context(), Resolver(Question(("127.0.0.1",), dns_server.port).ask))
    base = f"http://{HOST}:{servers[0].server_address[1]}"
    with httpx2.Client(transport=transport, timeout=60, base_url=base) as client:
        yield client


def move(dns_server: Any) -> None:
    dns_server.records = {(HOST, "A"): ["1 127.0.0.2"]}


def test_a_new_address_is_used_under_steady_load_and_no_request_is_lost(
    client: httpx2.Client, dns_server: Any, servers: tuple[_Server, _Server]
) -> None:
    seen = [client.get("/").text]
    move(dns_server)
    while seen[-1] == "127.0.0.1":
        seen.append(client.get("/").text)
    assert (seen[0], seen[-1]) == ("127.0.0.1", "127.0.0.2")
    assert {client.get("/").text for _ in range(20)} == {"127.0.0.2"}
    assert not servers[0].go.is_set()


def test_an_idle_connection_to_an_old_address_is_closed_by_itself(
    client: httpx2.Client, dns_server: Any, servers: tuple[_Server, _Server]
) -> None:
    assert client.get("/").text == "127.0.0.1"
    [connection] = servers[0].open
    closed = threading.Event()
    original = servers[0].shutdown_request

    def note(request: Any) -> None:
        original(request)
        if request is connection:
            closed.set()

    servers[0].shutdown_request = note  # type: ignore[method-assign]
    move(dns_server)
    assert closed.wait(60)


def test_a_request_that_is_under_way_goes_to_its_end(
    client: httpx2.Client, dns_server: Any, servers: tuple[_Server, _Server]
) -> None:
    with client.stream("GET", "/slow") as slow:
        move(dns_server)
        while client.get("/").text == "127.0.0.1":
            pass
        servers[0].go.set()
        assert slow.read() == b"127.0.0.1"
    assert client.get("/").text == "127.0.0.2"


def test_while_nothing_changes_one_connection_serves_through_many_ttls(
    client: httpx2.Client, dns_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow this machine is, DNS answers within it.
    monkeypatch.setattr("bothways.spoke.addresses.GRACE_SECONDS", 60.0)
    ports = set()
    while len(dns_server.questions) < 8:
        answer = client.get("/")
        ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
    assert len(ports) == 1


def test_when_dns_fails_calls_go_on(client: httpx2.Client, dns_server: Any) -> None:
    client.get("/")
    dns_server.mode = "SERVFAIL"
    asked = len(dns_server.questions)
    while len(dns_server.questions) < asked + 4:
        assert client.get("/").text == "127.0.0.1"


def test_a_name_that_is_gone_fails_at_once(client: httpx2.Client, dns_server: Any) -> None:
    client.get("/")
    dns_server.records = {}
    with pytest.raises(httpx2.ConnectError, match="does not exist"):  # noqa: PT012 - until it is noticed
        while True:
            client.get("/")


def test_an_address_that_refuses_is_said(client: httpx2.Client, dns_server: Any) -> None:
    dns_server.records = {(HOST, "A"): ["1 127.0.0.3"]}
    with pytest.raises(httpx2.ConnectError, match="refused"):
        client.get("/")


def test_the_client_follows_no_proxy_of_the_environment(
    servers: tuple[_Server, _Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with httpx2.Client(transport=Transport(ssl.create_default_context()), timeout=5) as client:
        assert client.get(f"http://api.localhost:{servers[0].server_address[1]}/").text == "127.0.0.1"


@pytest.mark.parametrize("how", ["close", "with"])
def test_what_is_closed_asks_no_more(dns_server: Any, servers: tuple[_Server, _Server], how: str) -> None:
    dns_server.records = {(HOST, "A"): ["1 127.0.0.1"]}
    before = set(threading.enumerate())
    transport = Transport(ssl.create_default_context(), Resolver(Question(("127.0.0.1",), dns_server.port).ask))
    client = httpx2.Client(transport=transport, timeout=60)
    with client if how == "with" else nullcontext():
        assert client.get(f"http://{HOST}:{servers[0].server_address[1]}/").text == "127.0.0.1"
        [asking] = [each for each in set(threading.enumerate()) - before if each.name == "bothways-dns"]
        if how == "close":
            client.close()
    asking.join(60)
    assert not asking.is_alive()
