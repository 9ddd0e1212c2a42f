"""Who sends too much, or too slowly, is cut off; a customer that behaves is served meanwhile, handshakes included."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice

import pytest
from tests.wire.conftest import World
from tests.wire.http2 import Http2Line

from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy

SECONDS = 30.0
HALF_OPEN, HEADS = 200, 20
# Enough for Envoy's own limits, which are lower, and little enough to send in a second or two.
FRAMES, BATCH = 200_000, 1000

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_HEADERS = 4


class Healthy:
    """A customer that behaves: one request after the other, each on a connection of its own."""

    def __init__(self, world: World, spoke: Spoke) -> None:
        self._world, self._spoke = world, spoke
        self._progress = threading.Condition()
        self._served = 0
        self._stop = False
        self.failures: list[str] = []

    def run(self) -> None:
        while not self._stop:
            try:
                with self._world.open(self._spoke) as line:
                    status, _ = line.ask("/tokens")
            except OSError as error:
                status = 0
                self.failures.append(str(error))
            with self._progress:
                self._served += status == 200
                if status not in {0, 200}:
                    self.failures.append(str(status))
                self._progress.notify_all()

    def stop(self) -> None:
        self._stop = True

    def served(self, more: int) -> None:
        """Wait until so many more requests were answered."""
        with self._progress:
            wanted = self._served + more
            assert self._progress.wait_for(lambda: self._served >= wanted, SECONDS), self.failures


@contextmanager
def healthy(world: World, spoke: Spoke) -> Iterator[Healthy]:
    """Run a customer that behaves while the block does what does not; none of its requests may fail."""
    customer = Healthy(world, spoke)
    thread = threading.Thread(target=customer.run)
    thread.start()
    try:
        customer.served(1)
        yield customer
        customer.served(2)
    finally:
        customer.stop()
        thread.join(SECONDS)
    assert customer.failures == []


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return an HTTP/2 frame as it is on the wire (RFC 9113 section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def secured(world: World, spoke: Spoke, protocol: str = "h2") -> ssl.SSLSocket:
    context = world.context(spoke)
    context.set_alpn_protocols([protocol])
    return world.tls(context)


def cut_off(line: Http2Line, frames: Iterable[bytes]) -> bool:
    """Send frames, reading nothing meanwhile, and return whether the endpoint then ends the connection."""
    with suppress(OSError):
        for batch in batched(frames, BATCH):
            line.socket.sendall(batch)
    return ended(line.socket)


def batched(frames: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the frames, so many at a time, for a record each would be a flood of another kind."""
    rest = iter(frames)
    while batch := b"".join(islice(rest, size)):
        yield batch


def rapid_resets(line: Http2Line) -> Iterator[bytes]:
    head = line.connection.encoder.encode(
        [(":method", "GET"), (":scheme", "https"), (":authority", "x"), (":path", "/tokens")]
    )
    for stream in range(1, FRAMES, 2):
        yield frame(HEADERS, END_HEADERS | 1, stream, head) + frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


def endless_head(line: Http2Line) -> Iterator[bytes]:
    head = line.connection.encoder.encode([(":method", "GET"), (":scheme", "https"), (":path", "/")])
    yield frame(HEADERS, 1, 1, head)
    yield from (frame(CONTINUATION, 0, 1, b"\x00\x01a\x64" + b"b" * 100) for _ in range(FRAMES))


def empty_heads(line: Http2Line) -> Iterator[bytes]:
    yield frame(HEADERS, 1, 1, line.connection.encoder.encode([(":method", "GET")]))
    yield from (frame(CONTINUATION, 0, 1) for _ in range(FRAMES))


def empty_data(line: Http2Line) -> Iterator[bytes]:
    line.begin("/tokens", method="POST", end=False)
    yield from (frame(DATA, 0, 1) for _ in range(FRAMES))


def of_priorities(_line: Http2Line) -> Iterator[bytes]:
    return (frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 1)) for _ in range(FRAMES))


def of_windows(line: Http2Line) -> Iterator[bytes]:
    line.begin("/tokens", method="POST", end=False)
    yield from (frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", 1)) for _ in range(FRAMES))


def of_settings(_line: Http2Line) -> Iterator[bytes]:
    return (frame(SETTINGS, 0, 0) for _ in range(FRAMES))


def of_pings(_line: Http2Line) -> Iterator[bytes]:
    return (frame(PING, 0, 0, b"12345678") for _ in range(FRAMES))


@pytest.mark.parametrize(
    "flood",
    [rapid_resets, endless_head, empty_heads, empty_data, of_priorities, of_windows, of_settings, of_pings],
)
def test_a_flood_of_http2_frames_is_cut_off(
    world: World, caller: Spoke, flood: Callable[[Http2Line], Iterator[bytes]]
) -> None:
    offender, _ = world.connected()
    with healthy(world, caller) as customer, Http2Line(secured(world, offender), world.host) as line:
        assert cut_off(line, flood(line))
        customer.served(1)


@pytest.mark.parametrize("flood", [of_priorities, of_settings, of_pings])
def test_a_few_such_frames_are_no_flood(
    world: World, caller: Spoke, flood: Callable[[Http2Line], Iterator[bytes]]
) -> None:
    with Http2Line(secured(world, caller), world.host) as line:
        line.socket.sendall(b"".join(islice(flood(line), 5)))
        assert line.ask("/tokens")[0] == 200


# Envoy's own limit would be 60 KiB.
LONG = tuple((f"x-{number}", "a" * 9000) for number in range(4))
MANY = tuple((f"x-{number}", "a") for number in range(150))
# One header in the table of HPACK, and a byte for each time that it is meant.
BOMB = (("x-same", "a" * 3000),) * 400


@pytest.mark.parametrize("headers", [LONG, MANY], ids=["long", "many"])
def test_a_head_that_is_too_large_is_answered_with_431(
    world: World, caller: Spoke, headers: tuple[tuple[str, str], ...]
) -> None:
    with healthy(world, caller), world.open(caller) as line:
        assert line.ask("/tokens", headers)[0] == 431


@pytest.mark.parametrize("headers", [LONG, MANY, BOMB], ids=["long", "many", "bomb"])
def test_a_head_that_is_too_large_ends_its_stream_over_http2_and_no_other(
    world: World, caller: Spoke, headers: tuple[tuple[str, str], ...]
) -> None:
    with healthy(world, caller), Http2Line(secured(world, caller), world.host) as line:
        with pytest.raises(ConnectionResetError):
            line.ask("/tokens", headers)
        assert line.ask("/tokens")[0] == 200


def test_the_streams_of_a_connection_are_limited(world: World, caller: Spoke) -> None:
    with Http2Line(secured(world, caller), world.host) as line:
        assert line.ask("/tokens")[0] == 200
        assert line.most_streams == 100


def test_connections_that_say_nothing_or_only_begin_are_closed_and_hold_nobody_up(world: World, caller: Spoke) -> None:
    address, hello = (world.hub.settings.inbound_address, world.hub.settings.inbound_port), client_hello(world)
    with ExitStack() as stack, healthy(world, caller) as customer:

        def connected() -> list[socket.socket]:
            return [stack.enter_context(socket.create_connection(address, SECONDS)) for _ in range(HALF_OPEN)]

        silent, halves, greeted = connected(), connected(), connected()
        heads = [stack.enter_context(secured(world, caller, "http/1.1")) for _ in range(HEADS)]
        for each in halves:
            each.sendall(hello[:20])
        for each in greeted:
            each.sendall(hello)
        for each in heads:
            each.sendall(b"GET /tokens HTTP/1.1\r\nHost: ")
        customer.served(3)
        for each in (*silent, *halves, *greeted, *heads):
            assert ended(each)
        customer.served(1)


def ended(line: socket.socket) -> bool:
    """Take what comes until the other side closes, and return whether it does within the time-out of the socket."""
    line.settimeout(SECONDS)
    try:
        while line.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def client_hello(world: World) -> bytes:
    """Return the first message of a good handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = world.context().wrap_bio(incoming, outgoing, server_hostname=world.host.split(":")[0])
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()
