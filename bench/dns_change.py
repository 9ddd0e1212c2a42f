"""Figure `dns-change`: the hub's address changes under load; when the new one is in use, and what fails.

The hub's name is at one nginx, and from one moment on at another, as an authoritative DNS server of ours says with a
TTL of 2, 30 or 60 s. The first nginx ends 5 s after the TTL has, as a machine does that is taken away. All clients call
all the while, each in a thread of its own: our four, and plain requests, httpx2 and aiohttp, whose `getaddrinfo` asks
the same DNS server, each time anew, as that of glibc does. What plain aiohttp fails at is its own: by default it keeps
an address for 10 s, whatever its TTL, and goes on calling the one that has ended.
"""

import asyncio
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import httpx2
import requests
from tests.dns_server import DnsServer, serving_dns

from bench.harness import Figure, figure
from bench.inbound import TSP_ID, enrolled, free_ports
from bench.names import looked_up
from bench.peers import program
from bothways import files
from bothways.contract.document import Environment
from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.operations.customers import add_customer
from bothways.operations.hub import initialise, new_terms, open_hub
from bothways.operations.settings import Settings
from bothways.registry.customer import CustomerKind
from bothways.spoke.addresses import Answer, Found
from bothways.spoke.aiohttp_connector import open_session
from bothways.spoke.client import AsyncClient, Client
from bothways.spoke.directory import Spoke
from bothways.spoke.requests_adapter import Session
from bothways.spoke.resolver import Question
from bothways.spoke.spoke_line import tls_context

_TTLS = (2, 30, 60)
_OLD, _NEW = "127.0.0.1", "127.0.0.2"
_HOST = "api.hub.test"
_AFTER_TTL = 5.0
_PAUSE = 0.02
_TIMEOUT = 10.0
_OURS = ("Client", "AsyncClient", "requests with our adapter", "aiohttp with our connector")


def dns_change() -> Iterator[Figure]:
    """Change the address once for each TTL; two minutes in all, most of which is waiting."""
    failed = 0
    counted: list[str] = []
    for ttl in _TTLS:
        with _scene() as scene:
            seen = _change(scene, ttl)
        ours = [each.changed_after for each in seen if each.name in _OURS]
        told = "; ".join(
            f"{each.name} {each.changed_after:.2f} s, {each.failed} of {each.made:,} failed" for each in seen
        )
        compared = f"last answer of the old address after the change; it ends {ttl + _AFTER_TTL:.0f} s after it: {told}"
        within = max(ours) <= ttl + 1
        yield figure(f"dns-change-{ttl}", ours, "s", f"all four within {ttl + 1} s", compared, met=_always(within))
        failed += sum(each.failed for each in seen if each.name in _OURS)
        counted.append(f"TTL {ttl} s: {sum(each.made for each in seen if each.name in _OURS):,} requests")
    yield figure("dns-change-failed", [float(failed)], "failed", "0", ", ".join(counted), met=lambda value: value == 0)


def _always(met: bool) -> Callable[[float], bool]:  # noqa: FBT001 - judged by the worst, and not by the median
    return lambda _: met


def _change(scene: "_Scene", ttl: int) -> "list[_Load]":
    scene.at(_OLD, ttl)
    with looked_up(scene.look_up), ExitStack() as stack:
        ended = threading.Event()
        loads = [_Load(name, ended) for name in (*_OURS, "requests", "httpx2", "aiohttp")]
        runs = (_client, _async_client, _requests, _aiohttp, _plain_requests, _plain_httpx2, _plain_aiohttp)
        threads = [threading.Thread(target=run, args=(scene, load)) for run, load in zip(runs, loads, strict=True)]
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(ended.set)
        while not all(each.old_at for each in loads):
            time.sleep(_PAUSE)
        scene.at(_NEW, ttl)
        changed = time.monotonic()
        time.sleep(ttl + _AFTER_TTL)
        scene.old.terminate()
        time.sleep(_AFTER_TTL)
        for each in loads:
            each.changed_after = max(0.0, each.old_at - changed)
    return loads


@dataclass
class _Scene:
    """A spoke whose hub has one name, the DNS server that says where it is, and the server that is to end."""

    spoke: Spoke
    dns: DnsServer
    old: "subprocess.Popen[bytes]"

    @property
    def endpoint(self) -> str:
        return self.spoke.contract.terms.endpoint

    def ask(self, host: str) -> Answer:
        return Question(("127.0.0.1",), self.dns.port).ask(host)

    def look_up(self, host: str) -> list[str]:
        answer = self.ask(host)
        if not isinstance(answer, Found):
            raise socket.gaierror(socket.EAI_AGAIN, "DNS has no answer")
        return list(answer.ttls)

    def at(self, address: str, ttl: int) -> None:
        self.dns.records = {(_HOST, "A"): [f"{ttl} {address}"]}


@dataclass(eq=False)
class _Load:
    """One client that calls without pause: how often, how often in vain, and when it last met the old address."""

    name: str
    ended: threading.Event
    made: int = 0
    failed: int = 0
    old_at: float = 0.0
    changed_after: float = 0.0

    def run(self, get: Callable[[], str], failures: type[Exception]) -> None:
        while not self.ended.is_set():
            try:
                self._note(get())
            except failures:
                self._note("")
            time.sleep(_PAUSE)

    async def run_async(self, get: Callable[[], Awaitable[str]], failures: type[Exception]) -> None:
        while not self.ended.is_set():
            try:
                self._note(await get())
            except (failures, TimeoutError):
                self._note("")
            await asyncio.sleep(_PAUSE)

    def _note(self, text: str) -> None:
        self.made += 1
        if text == _OLD:
            self.old_at = time.monotonic()
        elif text != _NEW:
            self.failed += 1


def _client(scene: _Scene, load: _Load) -> None:
    with Client(scene.spoke, ask=scene.ask, timeout=_TIMEOUT) as client:
        load.run(lambda: client.get("/").text, httpx2.HTTPError)


def _async_client(scene: _Scene, load: _Load) -> None:
    async def run() -> None:
        async with AsyncClient(scene.spoke, ask=scene.ask, timeout=_TIMEOUT) as client:
            await load.run_async(lambda: _text(client), httpx2.HTTPError)

    asyncio.run(run())


def _requests(scene: _Scene, load: _Load) -> None:
    with Session(scene.spoke, ask=scene.ask) as session:
        load.run(lambda: session.get("/", timeout=_TIMEOUT).text, requests.RequestException)


def _aiohttp(scene: _Scene, load: _Load) -> None:
    async def run() -> None:
        async with open_session(scene.spoke, ask=scene.ask) as session:
            await load.run_async(lambda: _read(session), aiohttp.ClientError)

    asyncio.run(run())


def _plain_requests(scene: _Scene, load: _Load) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".crt") as ca, requests.Session() as session:
        ca.write(scene.spoke.contract.trust.server_ca)
        ca.flush()
        session.trust_env, session.verify = False, ca.name
        session.cert = (str(scene.spoke.certificate_file), str(scene.spoke.key_file))
        load.run(lambda: session.get(scene.endpoint, timeout=_TIMEOUT).text, requests.RequestException)


def _plain_httpx2(scene: _Scene, load: _Load) -> None:
    context = tls_context(scene.spoke)
    with httpx2.Client(verify=context, timeout=_TIMEOUT, base_url=scene.endpoint, trust_env=False) as client:
        load.run(lambda: client.get("/").text, httpx2.HTTPError)


def _plain_aiohttp(scene: _Scene, load: _Load) -> None:
    async def run() -> None:
        connector = aiohttp.TCPConnector(ssl=tls_context(scene.spoke))
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        async with aiohttp.ClientSession(scene.endpoint, connector=connector, timeout=timeout) as session:
            await load.run_async(lambda: _read(session), aiohttp.ClientError)

    asyncio.run(run())


async def _text(client: httpx2.AsyncClient) -> str:
    return (await client.get("/")).text


async def _read(session: aiohttp.ClientSession) -> str:
    async with session.get("/") as answer:
        return await answer.text()


@contextmanager
def _scene() -> Iterator[_Scene]:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings()
        initialise(place / "hub", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "bench")
        hub = stack.enter_context(open_hub(place / "hub", "bench"))
        add_customer(hub, TSP_ID, CustomerKind.ISSUER, "Bank")
        spoke, _ = enrolled(hub, place / "spoke")
        made = make_server_files(place, "Hub", _HOST)
        [port] = free_ports(1)
        trust = replace(spoke.contract.trust, server_ca=made.chain.read_text())
        (place / "ca.crt").write_text(trust.issuing_ca)
        terms = replace(spoke.contract.terms, endpoint=f"https://{_HOST}:{port}")
        spoke = replace(spoke, contract=replace(spoke.contract, terms=terms, trust=trust))
        files.replace(spoke.contract_file, render_contract(spoke.contract).encode())
        dns = stack.enter_context(serving_dns())
        old, _ = (stack.enter_context(_nginx(place, address, port)) for address in (_OLD, _NEW))
        yield _Scene(spoke, dns, old)


@contextmanager
def _nginx(place: Path, address: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    own = place / address
    own.mkdir()
    paths = "".join(f"{kind}_temp_path {own}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = own / "nginx.conf"
    config.write_text(
        f"""daemon off; pid {own}/nginx.pid; error_log stderr error;
events {{}}
http {{
  access_log off; {paths}
  server {{
    listen {address}:{port} ssl; server_name {_HOST}; keepalive_requests 1000000; default_type text/plain;
    ssl_certificate {place}/server.crt; ssl_certificate_key {place}/server.key;
    ssl_client_certificate {place}/ca.crt; ssl_verify_client on;
    location / {{ return 200 $server_addr; }}
  }}
}}
"""
    )
    with subprocess.Popen([program("nginx"), "-c", str(config), "-e", "stderr"]) as process:
        try:
            yield process
        finally:
            process.terminate()
