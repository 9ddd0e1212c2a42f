"""WebSocket through the endpoint: authorized when it opens, and bounded from then on (RFC 6455)."""

import base64
import hashlib
import os
import socket
from collections.abc import Iterator

import pytest
from tests.wire.conftest import ISSUER, World
from tests.wire.upstream import Upstream, serving

from bothways.operations.certificates import revoke_certificate
from bothways.pki.revocation import RevocationReason
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BOUND = 4


def accepted(key: bytes) -> bytes:
    """Return the proof that the upgrade was understood (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())


def echo(upstream: Upstream, connection: socket.socket) -> None:
    """Upgrade, and send back what comes; another version is answered with 426, and a request without one with 200."""
    while request := upstream.read(connection):
        if b"version: 7\r\n" in request:
            connection.sendall(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
            continue
        headers = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
        key = {name.lower(): value for name, value in headers.items()}.get(b"sec-websocket-key")
        if key is None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            continue
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        connection.sendall(upgrade + b"Sec-WebSocket-Accept: " + accepted(key) + b"\r\n\r\n")
        while data := connection.recv(65536):
            connection.sendall(data)
        return


@pytest.fixture(scope="module")
def service(world: World) -> Iterator[Upstream]:
    """A service with WebSockets that live a few seconds, and at another path without."""
    with serving(echo) as upstream:
        url = f"http://127.0.0.1:{upstream.port}"
        world.serve(Service("live", "/live", url, streaming=BOUND), ISSUER)
        world.serve(Service("plain", "/plain", url), ISSUER)
        world.serve(Service("shut", "/shut", url, streaming=BOUND))
        yield upstream


def upgraded(world: World, spoke: Spoke, path: str) -> tuple[socket.socket, bytes, bytes]:
    """Ask for a WebSocket; return the connection, the key, and the head of the answer."""
    with world.open(spoke) as line:
        line.until(path, 403 if path == "/shut" else 200)
    connection = world.tls(world.context(spoke))
    key = base64.b64encode(os.urandom(16))
    upgrade = f"GET {path} HTTP/1.1\r\nHost: {world.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    connection.sendall(upgrade.encode() + b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1)
    return connection, key, head


def test_a_websocket_opens_carries_both_ways_and_ends_with_the_bound_after_a_revocation(
    world: World, service: Upstream
) -> None:
    spoke, serial = world.connected()
    connection, key, head = upgraded(world, spoke, "/live")
    with connection:
        assert head.startswith(b"HTTP/1.1 101 ")
        assert accepted(key) in head
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
        world.apply()
        assert rest(connection) == b""
    assert f"bothways-customer: {ISSUER}" in service.heads[-1]


def rest(connection: socket.socket) -> bytes:
    """Return what still comes; a connection that is not ended within the time of a socket of these tests fails."""
    found = b""
    try:
        while more := connection.recv(100):
            found += more
    except ConnectionResetError:
        pass
    return found


@pytest.mark.parametrize("path", ["/shut", "/plain"])
def test_without_a_grant_or_without_streaming_there_is_no_websocket(
    world: World, caller: Spoke, service: Upstream, path: str
) -> None:
    connection, _, head = upgraded(world, caller, path)
    with connection:
        assert head.startswith(b"HTTP/1.1 403 ")
    assert not any(each.startswith(f"GET {path} ") and "upgrade: websocket" in each for each in service.heads)


def test_an_upgrade_that_the_service_refuses_opens_no_way_for_what_comes_behind_it(
    world: World, caller: Spoke, service: Upstream
) -> None:
    with world.open(caller) as line:
        line.until("/live", 200)
    with world.tls(world.context(caller)) as connection:
        upgrade = f"GET /live HTTP/1.1\r\nHost: {world.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        hidden = b"GET /live/hidden HTTP/1.1\r\nHost: x\r\nBothways-Customer: 87654321\r\n\r\n"
        connection.sendall(upgrade.encode() + b"Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: x\r\n\r\n" + hidden)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(1)
        assert head.startswith(b"HTTP/1.1 426 ")
        assert rest(connection) == b""
    assert not any("hidden" in each for each in service.heads)
