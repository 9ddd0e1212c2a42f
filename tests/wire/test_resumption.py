"""No session is resumed, whoever made it: past no revocation and no change of trust, in no other name or environment.

A client that only offers what the endpoint gave it would prove little, for the endpoint gives nothing. So a session is
taken from a server that gives some, in the endpoint's name and with its key, and is then offered to the endpoint.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import local_settings, running
from tests.wire.conftest import ISSUER, World
from tests.wire.test_crl import publish, serving

from bothways import files
from bothways.contract.document import Environment
from bothways.operations.certificates import revoke_certificate
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, initialise, new_terms, open_hub
from bothways.pki.chain import certificate_pem
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import CustomerKind
from bothways.spoke.directory import Spoke
from bothways.xds.state import Anchors

pytestmark = pytest.mark.envoy

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
TICKETS = [True, False]


@contextmanager
def generous_server(hub: Hub, version: ssl.TLSVersion, *, tickets: bool) -> Iterator[int]:
    """Serve in the endpoint's name, with its certificate, and let every session be resumed; yield the port.

    Without tickets the server remembers sessions by their id, as far as the version has ids.
    """
    pair, context = hub_state(hub).server, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    with files.readable((pair.key_pem + pair.certificate_pem).encode(), hub.run_directory) as path:
        context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for _ in range(2):
                with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as secured:
                    secured.sendall(b"x")
                    # OpenSSL forgets a session whose connection was not closed in good order.
                    assert secured.recv(1) == b""
                    secured.unwrap().close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)
        assert not thread.is_alive()


def session_of(hub: Hub, name: str, context: ssl.SSLContext, *, tickets: bool = True) -> ssl.SSLSession:
    """Return a session that a client with this context has and that its server would resume, which is tried."""
    session = None
    with generous_server(hub, context.maximum_version, tickets=tickets) as port:
        for _ in range(2):
            with (
                socket.create_connection(("127.0.0.1", port), 10) as plain,
                context.wrap_socket(plain, server_hostname=name, session=session) as line,
            ):
                assert line.recv(1) == b"x"
                resumed, session = line.session_reused, line.session
                line.unwrap().close()
    assert resumed
    assert session is not None
    return session


def context_of(world: World, spoke: Spoke | None, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = world.context(spoke)
    context.minimum_version = context.maximum_version = version
    return context


def host_of(world: World) -> str:
    return world.host.split(":")[0]


def refusal(world: World, context: ssl.SSLContext, session: ssl.SSLSession | None) -> str:
    """Return why the endpoint refuses who offers a session."""
    try:
        with world.tls(context, session=session) as line:
            line.recv(1)
    except ssl.SSLError as error:
        return str(error.reason)
    pytest.fail("it was let in")


@pytest.mark.parametrize("tickets", TICKETS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_that_is_offered_is_not_resumed_and_the_handshake_is_a_whole_one(
    world: World,
    caller: Spoke,
    version: ssl.TLSVersion,
    tickets: bool,  # noqa: FBT001 - both are the point
) -> None:
    context = context_of(world, caller, version)
    session = session_of(world.hub, host_of(world), context, tickets=tickets)
    assert session.has_ticket is (tickets or version is ssl.TLSVersion.TLSv1_3)
    with world.tls(context, session=session) as line:
        line.sendall(f"GET /connectivity HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"
        assert not line.session_reused


@pytest.mark.parametrize("version", VERSIONS)
def test_the_endpoint_gives_no_session_away(world: World, caller: Spoke, version: ssl.TLSVersion) -> None:
    context = context_of(world, caller, version)
    with world.tls(context) as line:
        line.sendall(f"GET /connectivity HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"
        session = line.session
    # A client could offer it by a ticket, or in TLS 1.2 by the id that the server gave it.
    by_id = version is ssl.TLSVersion.TLSv1_2 and session is not None and session.id != b""
    assert not by_id
    assert session is None or not session.has_ticket


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_carries_nobody_past_a_revocation(world: World, version: ssl.TLSVersion) -> None:
    spoke, serial = world.connected()
    context = context_of(world, spoke, version)
    session = session_of(world.hub, host_of(world), context)
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    world.apply()
    assert "CERTIFICATE_REVOKED" in refusal(world, context, session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_carries_nobody_in_without_a_certificate(world: World, version: ssl.TLSVersion) -> None:
    context = context_of(world, None, version)
    session = session_of(world.hub, host_of(world), context)
    wanted = "HANDSHAKE_FAILURE" if version is ssl.TLSVersion.TLSv1_2 else "CERTIFICATE_REQUIRED"
    assert wanted in refusal(world, context, session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_another_server_name_is_not_resumed(world: World, caller: Spoke, version: ssl.TLSVersion) -> None:
    context = context_of(world, caller, version)
    session = session_of(world.hub, "portal.ppr.hub.localhost", context)
    with world.tls(context, session=session) as line:
        assert not line.session_reused
        line.sendall(f"GET /connectivity HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"
        # And a session for the endpoint's name opens no other.
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        world.tls(context, "portal.ppr.hub.localhost", session=session),
    ):
        pytest.fail("the handshake succeeded")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_one_environment_is_not_resumed_in_the_other(
    world: World, tmp_path_factory: pytest.TempPathFactory, version: ssl.TLSVersion
) -> None:
    directory, settings = tmp_path_factory.mktemp("prd"), local_settings()
    initialise(directory / "hub", new_terms(Environment.PRD, "prd.hub.localhost", settings), settings, "tester")
    with open_hub(directory / "hub", "tester") as hub, running(hub):
        prd = World(hub, directory)
        add_customer(hub, ISSUER, CustomerKind.ISSUER, "Bank")
        spoke, _ = prd.connected()
        context = context_of(prd, spoke, version)
        # One client that trusts both environments, as a bank's gateway may.
        context.load_verify_locations(cadata=contract(world.hub).trust.server_ca)
        with prd.tls(context) as line:
            line.sendall(f"GET /connectivity HTTP/1.1\r\nHost: {prd.host}\r\n\r\n".encode())
            assert line.recv(12) == b"HTTP/1.1 200"
            given = line.session
        for session in (given, session_of(hub, host_of(prd), context), session_of(world.hub, host_of(world), context)):
            assert "UNKNOWN_CA" in refusal(world, context, session)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_carries_nobody_past_a_change_of_trust(
    hub: Hub, tmp_path: Path, version: ssl.TLSVersion, make_ca: Callable[..., Any]
) -> None:
    add_customer(hub, ISSUER, CustomerKind.ISSUER, "Bank")
    alone = World(hub, tmp_path)
    spoke, _ = alone.certified()
    context, state = context_of(alone, spoke, version), hub_state(hub)
    session = session_of(hub, host_of(alone), context)

    async def run() -> None:
        async with serving(hub, state) as ads:
            with alone.tls(context, session=session) as line:
                assert not line.session_reused
            await publish(ads, replace(state, trust=Anchors(certificate_pem(make_ca("Next")[1]))))
            assert "UNKNOWN_CA" in await asyncio.to_thread(refusal, alone, context, session)

    asyncio.run(run())
