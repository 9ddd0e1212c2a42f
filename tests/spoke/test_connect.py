import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bothways.spoke.connect import connect


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
