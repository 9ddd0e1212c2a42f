"""Two servers of one hub, and one way to call them with each of the four clients; everything over real mutual TLS."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import requests
from cryptography import x509
from tests.dns_server import DnsServer

from bothways import files
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.spoke.aiohttp_connector import Connector, open_session
from bothways.spoke.client import AsyncClient, Client
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.events import Event
from bothways.spoke.requests_adapter import Session
from bothways.spoke.resolver import Question

HOST = "api.hub.test"


class Server(ThreadingHTTPServer):
    """Answers with its own address, at `/who` with the caller's serial number; at `/slow` it waits for `go`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, port: int, context: ssl.SSLContext) -> None:
        super().__init__((address, port), _Answer)
        self.context = context
        self.open: set[socket.socket] = set()
        self.accepted = 0
        self.requests = 0
        self.go = threading.Event()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """In the connection's own thread: the handshake holds up nobody else."""
        self.accepted += 1
        try:
            with self.context.wrap_socket(request, server_side=True) as tls:
                self.open.add(tls)
                try:
                    super().finish_request(tls, client_address)
                finally:
                    self.open.discard(tls)
        except OSError:
            pass


class _Answer(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: otherwise each answer waits for a delayed ACK.
    wbufsize = -1

    def do_GET(self) -> None:
        self.server.requests += 1
        content = str(self.server.server_address[0]).encode()
        if self.path == "/who":
            assert isinstance(self.connection, ssl.SSLSocket)
            certificate = x509.load_der_x509_certificate(self.connection.getpeercert(binary_form=True) or b"")
            content = str(certificate.serial_number).encode()
        if self.path == "/cut":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.path == "/slow":
            # Not the head alone: a proxy passes on what has a body.
            self.wfile.write(content[:1])
            self.wfile.flush()
            self.server.go.wait(60)
            content = content[1:]
        self.wfile.write(content)

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        pass


@dataclass
class Hubs:
    """A spoke whose hub has one name: `first` is on 127.0.0.1, `second` on 127.0.0.2, and `dns` says at which."""

    spoke: Spoke
    first: Server
    second: Server
    dns: DnsServer

    @property
    def port(self) -> int:
        """Both servers' port."""
        return int(self.first.server_address[1])

    def at(self, *addresses: str, ttl: int = 1) -> None:
        """Let DNS say so."""
        self.dns.records = {(HOST, "A"): [f"{ttl} {each}" for each in addresses]}

    def question(self) -> Question:
        """How the clients ask DNS."""
        return Question(("127.0.0.1",), self.dns.port)


@contextmanager
def two_hubs(spoke: Spoke, dns: DnsServer, directory: Path) -> Iterator[Hubs]:
    """Run the servers, and let the spoke's contract be theirs; DNS says 127.0.0.1, for a second."""
    made = make_server_files(directory, "Hub", HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=spoke.contract.trust.issuing_ca)
    with ExitStack() as stack:
        first = stack.enter_context(Server("127.0.0.1", 0, context))
        second = stack.enter_context(Server("127.0.0.2", int(first.server_address[1]), context))
        for server in (first, second):
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            stack.callback(server.go.set)
        endpoint = f"https://{HOST}:{first.server_address[1]}"
        changed = replace(
            spoke.contract,
            terms=replace(spoke.contract.terms, endpoint=endpoint),
            trust=replace(spoke.contract.trust, server_ca=made.chain.read_text()),
        )
        files.replace(spoke.contract_file, render_contract(changed).encode())
        hubs = Hubs(open_spoke(spoke.directory), first, second, dns)
        hubs.at("127.0.0.1")
        yield hubs


class Slow:
    """A request to `/slow` whose head has come; `text` waits for the rest."""

    def __init__(self, text: Callable[[], str]) -> None:
        self.text = text


@dataclass
class Caller:
    """One of the clients; `get(path)` and all else block, whatever the client is. `failure` is what it raises."""

    kind: str
    get: Callable[..., str]
    slow: Callable[[], Slow]
    close: Callable[[], None]
    metrics: Any
    failure: type[Exception]
    events: list[Event] = field(default_factory=list)


@contextmanager
def calling(kind: str, hubs: Hubs, **options: Any) -> Iterator[Caller]:
    """Open a client of this kind."""
    events: list[Event] = []
    opened = {"Client": _client, "AsyncClient": _async_client, "requests": _requests, "aiohttp": _aiohttp}[kind]
    with ExitStack() as stack:
        caller = opened(hubs, stack, {"on_event": events.append, "ask": hubs.question().ask} | options)
        caller.events = events
        yield caller
        caller.close()


def _client(hubs: Hubs, stack: ExitStack, options: dict[str, Any]) -> Caller:
    client = Client(hubs.spoke.directory, **options)

    def slow() -> Slow:
        context = client.stream("GET", "/slow")
        response = context.__enter__()
        stack.callback(context.__exit__, None, None, None)
        return Slow(lambda: response.read().decode())

    return Caller(
        "Client",
        lambda path, method="GET": client.request(method, path).text,
        slow,
        client.close,
        client.metrics,
        httpx2.TransportError,
    )


def _requests(hubs: Hubs, stack: ExitStack, options: dict[str, Any]) -> Caller:
    session = Session(hubs.spoke.directory, **options)

    def slow() -> Slow:
        response = session.get("/slow", stream=True)
        stack.callback(response.close)

        def text() -> str:
            return response.content.decode()

        return Slow(text)

    return Caller(
        "requests",
        lambda path, method="GET": session.request(method, path).text,
        slow,
        session.close,
        session.metrics,
        requests.RequestException,
    )


class _Loop:
    """An event loop in a thread of its own."""

    def __init__(self, stack: ExitStack) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        stack.callback(self._end)
        stack.callback(thread.join)
        stack.callback(lambda: self._loop.call_soon_threadsafe(self._loop.stop))

    def _end(self) -> None:
        """As `asyncio.run` ends a loop: what still runs is cancelled."""
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks))
        self._loop.run_until_complete(asyncio.wait_for(self._closed(), 20))
        self._loop.close()

    async def _closed(self) -> None:
        """Wait until what was told to close has closed: over TLS that takes an answer of the other side.

        What the loop looks at to the end is how it is woken up.
        """
        while len(self._loop._selector.get_map()) > 1:  # type: ignore[attr-defined]  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)


def _async_client(hubs: Hubs, stack: ExitStack, options: dict[str, Any]) -> Caller:
    loop = _Loop(stack)
    client = AsyncClient(hubs.spoke.directory, **options)

    async def get(path: str, method: str) -> str:
        return (await client.request(method, path)).text

    async def slow() -> Slow:
        response = await client.send(client.build_request("GET", "/slow"), stream=True)

        async def text() -> str:
            return (await response.aread()).decode()

        return Slow(lambda: str(loop.run(text())))

    return Caller(
        "AsyncClient",
        lambda path, method="GET": str(loop.run(get(path, method))),
        lambda: loop.run(slow()),
        lambda: loop.run(client.aclose()),
        client.metrics,
        httpx2.TransportError,
    )


def _aiohttp(hubs: Hubs, stack: ExitStack, options: dict[str, Any]) -> Caller:
    loop = _Loop(stack)

    async def opened() -> aiohttp.ClientSession:
        return open_session(hubs.spoke.directory, **options)

    session: aiohttp.ClientSession = loop.run(opened())
    connector = session.connector
    assert isinstance(connector, Connector)

    async def get(path: str, method: str) -> str:
        async with session.request(method, path) as response:
            return await response.text()

    async def slow() -> Slow:
        response = await session.get("/slow")

        async def text() -> str:
            async with response:
                return await response.text()

        return Slow(lambda: str(loop.run(text())))

    return Caller(
        "aiohttp",
        lambda path, method="GET": str(loop.run(get(path, method))),
        lambda: loop.run(slow()),
        lambda: loop.run(session.close()),
        connector.metrics,
        aiohttp.ClientError,
    )
