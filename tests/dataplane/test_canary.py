"""The canary sees an open door for what it is, and has it shut; and takes nothing else for one."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from envoy.config.core.v3 import base_pb2
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, secret_pb2
from tests.conftest import free_ports, running
from tests.dataplane.test_ads import Node, served
from tests.eventually import eventually
from tests.wire import upstream

from bothways import files
from bothways.cli.asking import Where
from bothways.cli.hub import reopen
from bothways.cli.hub import status as hub_status
from bothways.cli.opening import control, control_text
from bothways.dataplane import canary as canary_module
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.canary import (
    Canary,
    Knock,
    Outcome,
    judge,
    problems,
    verdict,
)
from bothways.dataplane.envoy import EnvoyProcess, find_envoy
from bothways.dataplane.publisher import Publisher
from bothways.dataplane.stranger import foreign_certificate
from bothways.operations.closure import current_closure, reopen_endpoint, shut_endpoint
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract
from bothways.operations.settings import FILE, render_settings
from bothways.xds import names
from bothways.xds.bootstrap import bootstrap
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import Address, HubState, Identity, RemoteNode
from bothways.xds.typed import any_of

BARE, TWIN = "without a certificate", "with the certificate of a foreign CA of the same name"
ANSWER = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("heard", "error", "wanted"),
    [
        (b"HTTP/1.1 200 OK", None, Outcome.ANSWERED),
        (ANSWER, None, Outcome.ANSWERED),
        (b"\x00", None, Outcome.ANSWERED),
        (b"", alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Outcome.REFUSED),
        (b"", alert("SSLV3_ALERT_HANDSHAKE_FAILURE"), Outcome.REFUSED),
        (b"", alert("WRONG_VERSION_NUMBER"), Outcome.UNREACHABLE),
        (b"", ssl.SSLError(1, "no reason"), Outcome.UNREACHABLE),
        (b"", ssl.SSLCertVerificationError(1, "x"), Outcome.UNREACHABLE),
        (b"", ConnectionRefusedError(111, "refused"), Outcome.UNREACHABLE),
        (b"", ConnectionResetError(104, "reset"), Outcome.UNREACHABLE),
        (b"", TimeoutError(), Outcome.UNREACHABLE),
        (b"", None, Outcome.UNREACHABLE),
    ],
)
def test_only_bytes_are_an_open_door_and_only_an_alert_is_a_refusal(
    heard: bytes, error: Exception | None, wanted: Outcome
) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
    outcome, said = judge(heard, error)
    assert (outcome, bool(said)) == (wanted, True)


def test_of_a_shut_endpoint_only_an_answer_is_a_problem() -> None:
    knocks = [Knock(Address("::1", 443), BARE, outcome, "seen") for outcome in Outcome]
    assert len(problems(knocks, shut=False)) == 2
    assert problems(knocks, shut=True) == (f"the canary at [::1]:443, {BARE}: seen",)


class Door:
    """Takes what the canary has to say, in place of a publisher."""

    def __init__(self) -> None:
        self.shut: list[str] = []

    async def __call__(self, _state: HubState, reason: str) -> None:
        self.shut.append(reason)


def canary_of(hub: Hub, address: Address, door: Callable[[HubState, str], Awaitable[object]]) -> Canary:
    """Return a canary that knocks at one address alone."""
    state = replace(hub_state(hub), inbound=address)
    return Canary(state, (), lambda: contract(hub).trust.server_ca, door, hub.run_directory)


@pytest.mark.parametrize(
    ("seen", "shut", "wanted"),
    [
        ([Outcome.REFUSED, Outcome.REFUSED], False, "refused"),
        ([Outcome.REFUSED, Outcome.UNREACHABLE], False, "unreachable"),
        ([Outcome.ANSWERED, Outcome.UNREACHABLE], False, "answered"),
        ([Outcome.UNREACHABLE, Outcome.UNREACHABLE], True, "shut"),
        ([Outcome.ANSWERED, Outcome.UNREACHABLE], True, "answered"),
    ],
)
def test_the_worst_of_all_knocks_is_the_verdict(seen: list[Outcome], shut: bool, wanted: str) -> None:  # noqa: FBT001
    knocks = [Knock(Address("::1", 443), BARE, each, each.name) for each in seen]
    found = verdict(knocks, datetime.now(UTC), shut=shut)
    assert (found["outcome"], found["address"]) == (wanted, "[::1]:443")


def test_a_node_that_is_not_reached_has_its_verdict_and_is_no_problem_of_the_hub(hub: Hub) -> None:
    closed, other = free_ports(2)
    door, canary = Door(), canary_of(hub, Address("127.0.0.1", closed), None)  # type: ignore[arg-type]

    async def run() -> None:
        async with listening(answer, context_of(hub)) as address:
            nodes = tuple(
                RemoteNode(name, place, place, frozenset(), place)
                for name, place in (
                    ("eu-1", Address("localhost", address.port)),
                    ("eu-2", Address("127.0.0.1", other)),
                )
            )
            canary._state, canary._shut = replace(canary._state, nodes=nodes), door
            await canary.look()

    asyncio.run(run())
    assert {name: each["outcome"] for name, each in canary.verdicts.items()} == {
        "ppr-embedded": "unreachable",
        "eu-1": "answered",
        "eu-2": "unreachable",
    }
    # The hub's own is not reached either; what a node lets in has the endpoint shut, wherever that is.
    assert canary.problem.count("the canary at") == 2
    assert len(door.shut) == 1


def test_a_node_that_is_first_is_at_fault_for_what_it_lets_in_and_for_a_door_that_was_shut_before(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canary_module, "_AGAIN", 0.0)
    door = Door()

    async def run() -> None:
        [closed] = free_ports(1)
        away = canary_of(hub, Address("127.0.0.1", closed), door)
        # Nobody had seen it shut before, or knows where it is.
        assert [await (await away.knock(each))() for each in ("ppr-embedded", "eu-1")] == ["", ""]
        with guarded(context_of(hub)) as address:
            there = canary_of(hub, address, door)
            again = await there.knock("ppr-embedded")
            assert await again() == ""
        # A round that comes between the change and the look takes nothing from what was seen before.
        await there.look()
        assert there.verdicts["ppr-embedded"]["outcome"] == "unreachable"
        assert "are not seen to be refused at" in await again()
        assert await (await there.knock("ppr-embedded"))() == ""
        assert door.shut == []
        async with listening(answer, context_of(hub)) as address:
            assert "let a stranger in" in await (await canary_of(hub, address, door).knock("ppr-embedded"))()
            await asyncio.sleep(0)
        assert len(door.shut) == 2

    asyncio.run(run())


def test_whoever_sees_to_a_node_tells_when_it_refused_strangers_and_nobody_else_does(hub: Hub) -> None:
    with guarded(context_of(hub)) as own, guarded(context_of(hub)) as place:
        canary, left = canary_of(hub, own, Door()), set[str]()
        named = Address("localhost", place.port)
        canary.follow(replace(canary._state, nodes=(RemoteNode("eu-1", place, place, frozenset(), named),)))
        canary._elsewhere = lambda: left
        asyncio.run(canary.look())
        assert {*canary.refused_at} == {str(own), str(named)}
        left.add("eu-1")
        asyncio.run(canary.look())
        assert {*canary.refused_at} == {str(own)}


@contextmanager
def guarded(context: ssl.SSLContext) -> Iterator[Address]:
    """Refuse everybody with an alert, as asyncio's servers do not: they close before it is sent."""
    context.verify_mode = ssl.CERT_REQUIRED

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    context.wrap_socket(connection, server_side=True).close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Address(*server.getsockname())
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def outcomes(knocks: tuple[Knock, ...]) -> dict[str, Outcome]:
    return {each.stranger: each.outcome for each in knocks}


def context_of(hub: Hub, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Return a server's context with the endpoint's own certificate, that lets anybody in."""
    pair, context = hub_state(hub).server, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files.make_directory(hub.run_directory)
    with files.readable((pair.key_pem + pair.certificate_pem).encode(), hub.run_directory) as path:
        context.load_cert_chain(path)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say no to the first request, over a door that is open."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)


async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def speak_plainly(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(ANSWER)


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None) -> AsyncIterator[Address]:
    served: list[asyncio.Task[None]] = []

    async def to_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())  # type: ignore[arg-type]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
            await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(to_the_end, "127.0.0.1", 0, ssl=context)
    async with server:
        yield Address(*server.sockets[0].getsockname())
    await asyncio.gather(*served)


def look_at(hub: Hub, serve: Serve, context: ssl.SSLContext | None) -> tuple[dict[str, Outcome], Canary, list[str]]:
    """Have a canary look at a server once; return what it saw, the canary, and what it had shut."""
    door = Door()

    async def run() -> tuple[dict[str, Outcome], Canary]:
        async with asyncio.timeout(30), listening(serve, context) as address:
            canary = canary_of(hub, address, door)
            return outcomes(await canary.look()), canary

    return *asyncio.run(run()), door.shut


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_lets_anybody_in_is_seen_and_shut(hub: Hub, version: ssl.TLSVersion) -> None:
    seen, canary, shut = look_at(hub, answer, context_of(hub, version))
    assert seen == {BARE: Outcome.ANSWERED, TWIN: Outcome.ANSWERED}
    assert len(shut) == 1
    assert "it was let in, and heard b'HTTP/1.1 403 Forbidden" in canary.problem
    assert canary.refused_at == {}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_does_without_a_certificate_is_seen_and_shut(hub: Hub, version: ssl.TLSVersion) -> None:
    context = context_of(hub, version)
    context.verify_mode = ssl.CERT_OPTIONAL
    seen, _, shut = look_at(hub, answer, context)
    assert seen[BARE] is Outcome.ANSWERED
    assert seen[TWIN] is not Outcome.ANSWERED
    assert len(shut) == 1


def test_whoever_has_not_the_endpoints_certificate_cannot_have_it_shut(hub: Hub) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    [ours] = x509.load_pem_x509_certificates(hub_state(hub).trust.pem.encode())
    with files.readable(foreign_certificate(ours.subject), hub.run_directory) as path:
        stranger.load_cert_chain(path)
    seen, canary, shut = look_at(hub, answer, stranger)
    assert (set(seen.values()), shut) == ({Outcome.UNREACHABLE}, [])
    assert "is not the endpoint's" in canary.problem


@pytest.mark.parametrize("serve", [close, speak_plainly])
def test_what_is_no_tls_or_ends_without_a_reason_proves_nothing_and_is_told(hub: Hub, serve: Serve) -> None:
    seen, canary, shut = look_at(hub, serve, None)
    assert (set(seen.values()), shut) == ({Outcome.UNREACHABLE}, [])
    assert canary.problem.count("the canary at 127.0.0.1") == 2


Validation = common_pb2.CertificateValidationContext
# The accidents that the canary is there for, each with what it sees. Without anchors, Envoy asks for no certificate.
ACCIDENTS: dict[str, tuple[Callable[[str], Any], dict[str, Outcome]]] = {
    "no anchors": (lambda _: Validation(), {BARE: Outcome.ANSWERED, TWIN: Outcome.ANSWERED}),
    "untrusted accepted": (
        lambda pem: Validation(
            trusted_ca=base_pb2.DataSource(inline_string=pem), trust_chain_verification=Validation.ACCEPT_UNTRUSTED
        ),
        {BARE: Outcome.REFUSED, TWIN: Outcome.ANSWERED},
    ),
}


def opened(state: HubState, accident: str = "untrusted accepted") -> Snapshot:
    """Return the snapshot of a state as it never should be: the endpoint lets strangers in."""
    snapshot = build_snapshot(state)
    validation = ACCIDENTS[accident][0](state.trust.pem)
    secret = secret_pb2.Secret(name=names.CUSTOMER_TRUST, validation_context=validation)
    secrets = dict(snapshot.unasked(names.SECRET_TYPE))
    secrets[names.CUSTOMER_TRUST] = Resource(names.CUSTOMER_TRUST, accident, any_of(secret))
    resources = dict(snapshot.resources) | {names.SECRET_TYPE: secrets}
    return replace(snapshot, version=accident, resources=resources)


class Stranger:
    """An open connection of somebody who forged the URI-ID of a customer under a CA of their own."""

    def __init__(self, hub: Hub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._reader, self._writer = hub_state(hub).host, reader, writer

    @classmethod
    async def at(cls, hub: Hub) -> "Stranger":
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(IDENTITY.uri_id)]), critical=False
            )
            .sign(key, SHA256())
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
        with files.readable(pem + certificate.public_bytes(Encoding.PEM), hub.run_directory) as path:
            context.load_cert_chain(path)
        settings, host = hub.settings, hub_state(hub).host
        return cls(
            hub,
            *await asyncio.open_connection(
                settings.inbound_address, settings.inbound_port, ssl=context, server_hostname=host
            ),
        )

    async def ask(self) -> int:
        """Return the status: 403 for nobody, 404 for a customer who asks for what is not there."""
        self._writer.write(f"GET / HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        [length] = [line for line in head.split(b"\r\n") if line.startswith(b"content-length: ")]
        await self._reader.readexactly(int(length.removeprefix(b"content-length: ")))
        return int(head.split()[1])

    def leave(self) -> None:
        self._writer.transport.abort()


@asynccontextmanager
async def serving(hub: Hub, first: Snapshot) -> AsyncIterator[AdsServer]:
    """Serve snapshots to an Envoy that has none yet."""
    run = hub.run_directory
    files.make_directory(run)
    ads = AdsServer(run / "ads.sock", first)
    files.replace(run / "envoy.json", bootstrap("node", str(run / "ads.sock"), str(run / "admin.sock")).encode())
    envoy = asyncio.create_task(EnvoyProcess(find_envoy(), run / "envoy.json", run / "envoy.log").run())
    await ads.start()
    try:
        async with asyncio.timeout(60):
            assert await ads.settled()
            yield ads
    finally:
        envoy.cancel()
        await asyncio.gather(envoy, return_exceptions=True)
        await ads.stop()


IDENTITY = Identity("urn:bothways:PPR:12345678:1a", "12345678")


def publishing(hub: Hub, ads: AdsServer, state: HubState) -> tuple[Publisher, Canary]:
    """Return a publisher with its canary, put together as in the running hub."""
    publisher = Publisher(hub, ads, lambda latest: canary.follow(latest))  # noqa: PLW0108 - it is made a line later
    canary = Canary(state, (), lambda: contract(hub).trust.server_ca, publisher.shut, hub.run_directory)
    return publisher, canary


@pytest.mark.envoy
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_envoy_that_lets_strangers_in_is_shut_for_everybody_at_once(hub: Hub, accident: str) -> None:
    state = hub_state(hub)

    async def run() -> None:
        async with serving(hub, build_snapshot(state)) as ads:
            publisher, canary = publishing(hub, ads, state)
            assert outcomes(await canary.look()) == {BARE: Outcome.REFUSED, TWIN: Outcome.REFUSED}
            assert list(canary.refused_at) == [str(state.inbound)]
            ads.publish(opened(state, accident))
            assert await ads.settled()
            assert outcomes(await canary.look()) == ACCIDENTS[accident][1]
            assert "bothways hub reopen" in publisher.problem
            assert not listens(hub)
            assert (set(outcomes(await canary.look()).values()), canary.problem) == ({Outcome.UNREACHABLE}, "")

    asyncio.run(run())
    assert current_closure(hub) is not None


@pytest.mark.envoy
def test_an_envoy_that_starts_while_the_endpoint_is_shut_has_confirmed_it_and_opens_it_for_a_person(hub: Hub) -> None:
    shut_endpoint(hub, "let in")

    async def run() -> None:
        async with serving(hub, build_snapshot(hub_state(hub))) as ads:
            publisher, canary = publishing(hub, ads, hub_state(hub))
            assert (await publisher.apply()).in_force
            assert "let in" in publisher.problem
            assert set(outcomes(await canary.look()).values()) == {Outcome.UNREACHABLE}
            reopen_endpoint(hub)
            assert (await publisher.apply()).in_force
            assert publisher.problem == ""
            assert outcomes(await canary.look()) == {BARE: Outcome.REFUSED, TWIN: Outcome.REFUSED}

    asyncio.run(run())


@pytest.mark.envoy
def test_a_stranger_that_was_let_in_may_do_nothing_from_then_on_also_when_the_endpoint_is_open_again(hub: Hub) -> None:
    state = replace(hub_state(hub), identities=(IDENTITY,))

    async def run() -> None:
        async with serving(hub, opened(state)) as ads:
            stranger = await Stranger.at(hub)
            assert await stranger.ask() == 404
            for times in (1, 2):
                for shut in ("let in", ""):
                    ads.publish(build_snapshot(replace(state, shut=shut, closures=times)))
                    assert await ads.settled()
                    assert await stranger.ask() == 403
            stranger.leave()

    asyncio.run(run())


@pytest.mark.envoy
def test_each_push_that_is_confirmed_is_looked_at_without_waiting_for_the_clock(hub: Hub) -> None:
    state = replace(hub_state(hub), identities=(IDENTITY,))

    async def run() -> None:
        async with serving(hub, build_snapshot(state)) as ads:
            publisher, canary = publishing(hub, ads, state)
            task = asyncio.create_task(canary.run(ads))
            # Far less than the schedule; the time-out of `serving` bounds it.
            while not canary.refused_at:  # noqa: ASYNC110 - what is waited for are Envoy's answers
                await asyncio.sleep(0.01)
            ads.publish(opened(state))
            async with asyncio.timeout(20):
                while not publisher.problem:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_a_door_is_looked_at_by_the_clock_too(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canary_module, "_INTERVAL", 0.05)
    monkeypatch.setattr(canary_module, "_AGAIN", 0.01)
    context, door = context_of(hub), Door()
    context.load_verify_locations(cadata=hub_state(hub).trust.pem)
    context.verify_mode = ssl.CERT_REQUIRED

    async def test(server: AdsServer, _: Node) -> None:
        # asyncio's own server says no reason when it refuses.
        with upstream.serving(lambda _, secured: secured.sendall(secured.recv(100)), context) as strict:
            canary = canary_of(hub, Address("127.0.0.1", strict.port), door)
            task = asyncio.create_task(canary.run(server))
            while not canary.refused_at:  # noqa: ASYNC110 - the time-out of `served` bounds it
                await asyncio.sleep(0.01)
            assert (door.shut, canary.problem) == ([], "")
            # Nothing is pushed: it comes open by itself.
            context.verify_mode = ssl.CERT_NONE
            while not door.shut:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    served(hub, test)


def test_a_canary_that_cannot_look_says_so(hub: Hub) -> None:
    async def test(server: AdsServer, node: Node) -> None:
        await node.answer(await node.take_all(server.snapshot, but=names.ROUTE_TYPE))
        canary = Canary(hub_state(hub), (), lambda: "no certificate", Door(), hub.run_directory)
        task = asyncio.create_task(canary.run(server))
        while not canary.problem:  # noqa: ASYNC110 - the time-out of `served` bounds it
            await asyncio.sleep(0.01)
        assert "the canary cannot look at the endpoint" in canary.problem
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    served(hub, test)


@pytest.mark.envoy
def test_a_running_hub_shuts_its_endpoint_tells_it_and_opens_it_for_a_person(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The door that is open stands for an Envoy elsewhere: it has the endpoint's certificate."""

    def told() -> str:
        answered = control(hub, "GET", "/status")
        assert answered is not None
        return str(answered["problem"])

    async def run() -> None:
        async with listening(answer, context_of(hub)) as address:
            changed = replace(hub.settings, canary_addresses=(address,))
            (hub.directory / FILE).write_text(render_settings(changed))
            await asyncio.to_thread(first)
        await asyncio.to_thread(then)

    def first() -> None:
        with running(hub):
            eventually(lambda: current_closure(hub) is not None and "hub reopen" in told())
            assert hub_status(where=Where(hub.directory)) == 1
            assert "a stranger was let in" in capsys.readouterr().out
            assert 'bothways_endpoint_shut{namespace="PPR"} 1.0' in str(control_text(hub, "/metrics"))
            assert not listens(hub)

    def then() -> None:
        # After a restart as before it, until a person says so; the other listener is away, and that is told too.
        with running(hub):
            assert "hub reopen" in told()
            assert not listens(hub)
            assert reopen(where=Where(hub.directory)) == 0
            assert listens(hub)
            eventually(lambda: "hub reopen" not in told() and "the canary at 127.0.0.1" in told())
            assert current_closure(hub) is None

    asyncio.run(run())


def listens(hub: Hub) -> bool:
    try:
        socket.create_connection((hub.settings.inbound_address, hub.settings.inbound_port), 5).close()
    except ConnectionRefusedError:
        return False
    return True
