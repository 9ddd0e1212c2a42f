import socket
from collections.abc import Iterator
from contextlib import ExitStack

import anyio
import anyio.abc
import pytest

from bothways.spoke.connect import connect, connect_async


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server on 127.0.0.1 alone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.2", "127.0.0.3", "::1", "127.0.0.1"]],
    ids=str,
)
def test_the_first_that_answers_is_taken(port: int, addresses: list[str]) -> None:
    connected, address = connect(addresses, port, 30)
    with connected:
        assert address == "127.0.0.1"
        assert connected.getpeername() == ("127.0.0.1", port)
        assert connected.getblocking()


def test_a_silent_address_holds_up_no_other(port: int) -> None:
    # TEST-NET-1 (RFC 5737): nobody answers there, or the network refuses at once.
    connected, address = connect(["192.0.2.1", "127.0.0.1"], port, 60)
    with connected:
        assert address == "127.0.0.1"


def test_if_all_refuse_it_is_said(port: int) -> None:
    with pytest.raises(OSError, match="refused"):
        connect(["127.0.0.2", "127.0.0.3"], port, 30)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_what_is_no_port_is_said(port: int) -> None:
    with pytest.raises(OSError, match="is no port"):
        connect(["127.0.0.1"], port, 30)


def test_after_the_time_it_ends() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with ExitStack() as held:
            # A queue that is full answers nobody.
            for _ in range(4):
                filling = held.enter_context(socket.socket())
                filling.setblocking(False)
                filling.connect_ex(("127.0.0.1", port))
            with pytest.raises(TimeoutError):
                connect(["127.0.0.1"], port, 0.3)


def test_it_connects_from_the_address_that_is_wanted(port: int) -> None:
    connected, _ = connect(["127.0.0.1"], port, 30, "127.0.0.9")
    with connected:
        assert connected.getsockname()[0] == "127.0.0.9"


class Streams:
    """Real connections, made as an asynchronous client makes them, and what became of them."""

    def __init__(self, port: int) -> None:
        self.port, self.dropped = port, list[anyio.abc.SocketStream]()

    async def attempt(self, address: str) -> anyio.abc.SocketStream:
        return await anyio.connect_tcp(address, self.port)

    async def drop(self, stream: anyio.abc.SocketStream) -> None:
        self.dropped.append(stream)
        await stream.aclose()


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["192.0.2.1", "127.0.0.1"], ["::1", "127.0.0.1"]], ids=str
)
def test_the_first_that_answers_is_taken_in_an_event_loop(port: int, addresses: list[str]) -> None:
    streams = Streams(port)

    async def run() -> str:
        stream, address = await connect_async(addresses, streams.attempt, streams.drop)
        await stream.aclose()
        return address

    assert anyio.run(run) == "127.0.0.1"
    assert streams.dropped == []


def test_if_all_refuse_it_is_said_in_an_event_loop(port: int) -> None:
    streams = Streams(port)

    async def run() -> None:
        await connect_async(["127.0.0.2", "127.0.0.3"], streams.attempt, streams.drop)

    with pytest.raises(OSError, match="connection attempts failed"):
        anyio.run(run)


def test_what_answers_after_the_winner_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bothways.spoke.race.DELAY_SECONDS", 0.0)
    streams = Streams(port)
    both = [anyio.Event(), anyio.Event()]

    async def attempt(_: str) -> anyio.abc.SocketStream:
        # Shielded, so that the loser answers even though the race is over.
        with anyio.CancelScope(shield=True):
            stream = await anyio.connect_tcp("127.0.0.1", port)
            next(each for each in both if not each.is_set()).set()
            for each in both:
                await each.wait()
        return stream

    async def run() -> None:
        stream, _ = await connect_async(["127.0.0.1", "127.0.0.9"], attempt, streams.drop)
        assert stream not in streams.dropped
        await stream.aclose()

    anyio.run(run)
    assert len(streams.dropped) == 1


def test_who_gives_up_leaves_no_connection(port: int) -> None:
    streams = Streams(port)

    async def attempt(address: str) -> anyio.abc.SocketStream:
        with anyio.CancelScope(shield=True):
            stream = await streams.attempt(address)
            await anyio.sleep(0.2)
        return stream

    async def run() -> None:
        with anyio.move_on_after(0.05):
            await connect_async(["127.0.0.1"], attempt, streams.drop)

    anyio.run(run)
    assert len(streams.dropped) == 1
