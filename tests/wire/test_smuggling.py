"""Requests that two readers could take for different ones: the endpoint refuses them, or hands on what cannot be.

What really happened: request smuggling by lengths (CVE-2019-18801, CVE-2023-25690), over HTTP/2 (James Kettle, 2021),
identity headers that `Connection` takes off on the way (CVE-2022-1388), in trailers, or under a name that a server
takes for another one (CVE-2024-45614).
"""

import json
import socket
from collections.abc import Iterator

import pytest
from tests.wire.conftest import ISSUER, MERCHANT, World
from tests.wire.http2 import Http2Line, serve_http2
from tests.wire.upstream import Upstream, serving

from bothways.registry.service import Service
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy

HIDDEN = b"GET /vault HTTP/1.1\r\nHost: x\r\nBothways-Customer: 87654321\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def repeat(upstream: Upstream, connection: socket.socket) -> None:
    """Answer each request with its own head, as it came."""
    while upstream.read(connection):
        head = upstream.heads[-1].encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))


@pytest.fixture(scope="module")
def behind(world: World) -> Iterator[Upstream]:
    """A service behind `/raw` that says what it was sent, octet by octet."""
    with serving(repeat) as upstream:
        world.serve(Service("raw", "/raw", f"http://127.0.0.1:{upstream.port}", client_cert=False), ISSUER)
        yield upstream


def answers(world: World, caller: Spoke, rest: bytes, line: bytes = b"GET /raw HTTP/1.1") -> tuple[bytes, bytes]:
    """Send one request as it stands, and return head and body of the answer."""
    with world.tls(world.context(caller)) as secured:
        secured.sendall(line + b"\r\nHost: " + world.host.encode() + b"\r\n" + rest)
        received = b""
        while b"\r\n\r\n" not in received:
            received += secured.recv(65536)
        head, _, body = received.partition(b"\r\n\r\n")
        [length] = [int(each.split(b":")[1]) for each in head.lower().split(b"\r\n") if each.startswith(b"content-len")]
        while len(body) < length:
            body += secured.recv(65536)
        return head, body


LENGTHS = {
    "both": b"Content-Length: 4\r\n" + CHUNKED + b"0\r\n\r\n" + HIDDEN,
    "both, the other way": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "the same twice": b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
    "a list": b"Content-Length: 5, 5\r\n\r\nabcde",
    "with a sign": b"Content-Length: +5\r\n\r\nabcde",
    "below nothing": b"Content-Length: -5\r\n\r\nabcde",
    "in hex": b"Content-Length: 0x5\r\n\r\nabcde",
    "two codings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a list of codings": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "identity and a length": b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nabcde",
    "a space before the colon": b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a vertical tab": b"Transfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "a chunk too long to count": CHUNKED + b"FFFFFFFFFFFFFFFFF\r\nabcde\r\n0\r\n\r\n",
    "a chunk below nothing": CHUNKED + b"-5\r\nabcde\r\n0\r\n\r\n",
    "a chunk with 0x": CHUNKED + b"0x5\r\nabcde\r\n0\r\n\r\n",
    "chunks by bare line feeds": CHUNKED + b"5\nabcde\n0\n\n",
    "a line feed in an extension": CHUNKED + b"5;a\nb\r\nabcde\r\n0\r\n\r\n",
}
SPELLINGS = {
    "a space before the colon": b"Bothways-Customer : 87654321\r\n\r\n",
    "the first one folded": b" Bothways-Customer: 87654321\r\n\r\n",
    "a zero octet": b"X-A: a\x00\r\n\r\n",
    "no colon": b"Bothways-Customer\r\n\r\n",
    "taken off what names the source": b"Connection: X-Forwarded-For\r\n\r\n",
    "taken off the host": b"Connection: Host\r\n\r\n",
}


@pytest.mark.parametrize("rest", [*LENGTHS.values(), *SPELLINGS.values()], ids=[*LENGTHS, *SPELLINGS])
def test_what_could_be_read_in_two_ways_is_refused_and_its_connection_closed(
    world: World, caller: Spoke, behind: Upstream, rest: bytes
) -> None:
    before = len(behind.heads)
    head, body = answers(world, caller, rest, b"POST /raw HTTP/1.1")
    assert json.loads(body)["status"] in {400, 501}
    assert b"\r\nconnection: close" in head
    # Nothing hidden follows on the connection to the service either: the next one there is the next one asked.
    with world.open(caller) as line:
        assert line.ask("/raw/next")[0] == 200
    assert [each.split("\r\n")[0] for each in behind.heads[before:] if "/raw/next" in each or "/vault" in each] == [
        "GET /raw/next HTTP/1.1"
    ]


@pytest.mark.parametrize("version", [b" HTTP/1.0", b" HTTP/0.9", b" HTTP/1.2", b" HTTP/2.0", b""])
def test_no_other_version_is_spoken_in_a_line(world: World, caller: Spoke, behind: Upstream, version: bytes) -> None:
    before = len(behind.heads)
    _, body = answers(world, caller, b"\r\n", b"GET /raw" + version)
    assert json.loads(body)["status"] == 426
    assert len(behind.heads) == before


OTHERS = (
    *(b"SSL-Client-Verify", b"X-Amzn-Mtls-Clientcert", b"X-ARR-ClientCert", b"X-TLS-Client-Cert", b"Remote-User"),
    *(b"True-Client-IP", b"X-Original-Host", b"X-HTTP-Host-Override", b"Proxy"),
)
HANDED_ON = {
    "folded": (b"X-A: a\r\n Bothways-Customer: 87654321\r\n\r\n", ["x-a: a Bothways-Customer: 87654321"]),
    "after a bare line feed": (b"X-A: a\nBothways-Customer: 87654321\r\n\r\n", ["x-a: a"]),
    "after a bare carriage return": (
        b"X-A: a\rBothways-Customer: 87654321\r\n\r\n",
        ["x-a: aBothways-Customer: 87654321"],
    ),
    "taken off by Connection": (
        b"Connection: Bothways-Customer, Bothways-Environment, X-Forwarded-Client-Cert, X-A\r\n\r\n",
        [],
    ),
    "an upgrade to HTTP/2": (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n", []),
    "other signs for the dash": (
        b"Bothways.Customer: f\r\nBothways~Environment: f\r\nX.Forwarded!Client-Cert: f\r\nClient.Cert: f\r\n\r\n",
        [],
    ),
    "of other proxies": (
        b"".join(b"%s: f\r\n" % each for each in OTHERS) + b"\r\n",
        [],
    ),
    "in trailers": (CHUNKED + b"0\r\nBothways-Customer: 87654321\r\nX-A: a\r\n\r\n", ["transfer-encoding: chunked"]),
}


@pytest.mark.usefixtures("behind")
@pytest.mark.parametrize(("rest", "wanted"), HANDED_ON.values(), ids=HANDED_ON)
def test_what_is_handed_on_has_one_reading_and_the_identity_of_the_handshake(
    world: World, caller: Spoke, rest: bytes, wanted: list[str]
) -> None:
    plain = answers(world, caller, b"\r\n")[1].decode().split("\r\n")
    seen = answers(world, caller, rest)[1].decode().split("\r\n")
    ours = [each for each in seen if not each.startswith("x-request-id")]
    assert [each for each in ours if each not in plain] == wanted
    assert [each for each in plain if each not in seen and not each.startswith("x-request-id")] == []
    assert [each for each in seen if each.lower().startswith("bothways-customer")] == [f"bothways-customer: {ISSUER}"]
    assert not any("\n" in each or "\r" in each for each in seen)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"CONNECT 127.0.0.1:22 HTTP/1.1", 421),
        (b"TRACE /vault HTTP/1.1", 403),
        (b"get /raw HTTP/1.1", 400),
        (b"OPTIONS * HTTP/1.1", 404),
        (b"GET raw HTTP/1.1", 400),
        (b"GET /raw/\xff HTTP/1.1", 400),
        (b"GET ftp://x/raw HTTP/1.1", 400),
    ],
)
def test_no_other_form_of_a_request_line_leads_around(world: World, caller: Spoke, line: bytes, status: int) -> None:
    assert json.loads(answers(world, caller, b"\r\n", line)[1])["status"] == status


def test_whoever_is_refused_is_refused_before_its_body_is_wanted_by_a_service(
    world: World, caller: Spoke, behind: Upstream
) -> None:
    before = len(behind.heads)
    with world.tls(world.context(caller)) as secured:
        rest = f"Host: {world.host}\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        secured.sendall(b"POST /vault HTTP/1.1\r\n" + rest.encode())
        received = b""
        while b"403" not in received:
            received += secured.recv(65536)
    # Envoy itself may ask for the body; it asks no service.
    assert received.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"").startswith(b"HTTP/1.1 403 ")
    assert len(behind.heads) == before


OVER_HTTP2 = {
    "a coding": [("transfer-encoding", "chunked")],
    "a length that is too short": [("content-length", "1")],
    "a length that is too long": [("content-length", "1000")],
    "two lengths": [("content-length", "5"), ("content-length", "0")],
    "Connection": [("connection", "bothways-customer")],
    "Upgrade": [("upgrade", "h2c")],
    "a line in a value": [("x-a", "a\r\nbothways-customer: 1")],
    "a line feed in a value": [("x-a", "a\nbothways-customer: 1")],
    "a carriage return in a value": [("x-a", "a\rbothways-customer: 1")],
    "a zero octet in a value": [("x-a", "a\0")],
    "a line in a name": [("x-a: b\r\nbothways-customer", "1")],
    "a colon in a name": [("bothways-customer:", "1")],
    "a space in a name": [("bothways-customer ", "1")],
    "capitals in a name": [("Bothways-Customer", "1")],
    "a second path": [(":path", "/vault")],
    "a second host": [(":authority", "other.example")],
    "a second method": [(":method", "GET")],
    "a protocol": [(":protocol", "websocket")],
}
PSEUDO = {
    "a line in the path": (":path", "/raw HTTP/1.1\r\nbothways-customer: 1\r\nx: "),
    "a space in the path": (":path", "/raw HTTP/1.1"),
    "no path": (":path", ""),
    "a line in the method": (":method", "GET /vault HTTP/1.1\r\nx: "),
    "another scheme": (":scheme", "http://other.example/"),
}


def told(
    world: World, caller: Spoke, head: list[tuple[str, str]], trailers: list[tuple[str, str]] | None = None
) -> str:
    """Send a POST of five octets over HTTP/2, whatever the head is; return what the service says, or `refused`."""
    context = world.context(caller)
    context.set_alpn_protocols(["h2"])
    with Http2Line(world.tls(context), world.host) as line:
        line.connection.config.validate_outbound_headers = False
        line.connection.config.normalize_outbound_headers = False
        line.connection.send_headers(1, head)
        line.connection.send_data(1, b"abcde", end_stream=trailers is None)
        if trailers is not None:
            line.connection.send_headers(1, trailers, end_stream=True)
        line.send()
        try:
            status, body = line.answer(1)
        except ConnectionError:
            return "refused"
    return body.decode() if status == 200 else "refused"


def usual(world: World, path: str = "/raw") -> list[tuple[str, str]]:
    return [(":method", "POST"), (":scheme", "https"), (":authority", world.host), (":path", path)]


@pytest.mark.parametrize("more", OVER_HTTP2.values(), ids=OVER_HTTP2)
def test_over_http2_nothing_becomes_another_request_on_its_way(
    world: World, caller: Spoke, behind: Upstream, more: list[tuple[str, str]]
) -> None:
    before = len(behind.heads)
    assert told(world, caller, [*usual(world), *more]) == "refused"
    assert len([each for each in behind.heads[before:] if "vault" in each or "POST" not in each]) == 0


@pytest.mark.parametrize(("name", "value"), PSEUDO.values(), ids=PSEUDO)
def test_over_http2_a_request_line_is_one_line(
    world: World, caller: Spoke, behind: Upstream, name: str, value: str
) -> None:
    before = len(behind.heads)
    head = [(each, value if each == name else was) for each, was in usual(world)]
    assert told(world, caller, head) == "refused"
    assert behind.heads[before:] == []


@pytest.mark.usefixtures("behind")
def test_over_http2_a_second_host_is_not_handed_on(world: World, caller: Spoke) -> None:
    seen = told(world, caller, [*usual(world), ("host", "other.example")]).split("\r\n")
    assert [each for each in seen if each.startswith("host")] == [f"host: {world.host}"]


def test_trailers_bring_no_identity_to_a_service_over_http2(world: World, caller: Spoke) -> None:
    forged = [("bothways-customer", MERCHANT), ("client-cert", ":f:"), ("x.forwarded-client-cert", "f"), ("x-a", "a")]
    with serving(serve_http2) as upstream:
        world.serve(Service("second", "/second", f"http://127.0.0.1:{upstream.port}", http2=True), ISSUER)
        with world.open(caller) as line:
            line.until("/second", 200)
        seen = json.loads(told(world, caller, usual(world, "/second"), forged))
    assert seen["trailers"] == [["x-a", "a"]]
    assert dict(seen["headers"])["bothways-customer"] == ISSUER
    assert seen["body"] == "abcde"


@pytest.mark.usefixtures("behind")
def test_trailers_of_http2_go_to_no_service_of_http1(world: World, caller: Spoke) -> None:
    seen = told(world, caller, usual(world), [("bothways-customer", MERCHANT), ("x-a", "a")])
    assert f"bothways-customer: {ISSUER}" in seen
    assert MERCHANT not in seen
    assert "x-a" not in seen
