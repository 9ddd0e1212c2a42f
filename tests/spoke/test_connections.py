import socket
import threading
from collections.abc import Iterator

import pytest

from bothways.spoke import connections as module
from bothways.spoke.connections import Connections


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The two ends of a connection."""
    one, other = socket.socketpair()
    other.settimeout(10)
    with one, other:
        yield one, other


def test_a_connection_that_takes_too_long_is_cut_and_others_are_not(ends: tuple[socket.socket, socket.socket]) -> None:
    connections = Connections()
    with connections.entered(ends[0]) as connection:
        connection.allow(60)
        connections.end_overdue()
        ends[0].sendall(b"still here")
        assert ends[1].recv(100) == b"still here"
        connection.allow(-1)
        connections.end_overdue()
        assert ends[1].recv(100) == b""


def test_draining_cuts_what_is_idle_and_waits_for_what_is_busy(ends: tuple[socket.socket, socket.socket]) -> None:
    idle, idle_peer = socket.socketpair()
    idle_peer.settimeout(10)
    connections, ready, answered = Connections(), threading.Event(), []

    def handle() -> None:
        with connections.entered(ends[0]) as connection:
            connection.busy = True
            ready.set()
            answered.append(ends[0].recv(100))

    thread = threading.Thread(target=handle)
    thread.start()
    ready.wait(10)
    with idle, idle_peer:

        def wait() -> None:
            with connections.entered(idle):
                idle.recv(100)
                # It has ended; only now comes the rest of the request on the busy one.
                ends[1].sendall(b"the rest")

        waiter = threading.Thread(target=wait)
        waiter.start()
        connections.drain(30)
        assert answered == [b"the rest"]
        assert idle_peer.recv(100) == b""
        waiter.join()
    thread.join()
    assert connections.ending


def test_draining_cuts_what_does_not_end_in_time(ends: tuple[socket.socket, socket.socket]) -> None:
    connections = Connections()
    with connections.entered(ends[0]) as connection:
        connection.busy = True
        connections.drain(0)
        assert ends[1].recv(100) == b""


def test_there_is_a_limit(ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LIMIT", 1)
    connections = Connections()
    seen = [connections.full]
    with connections.entered(ends[0]):
        seen.append(connections.full)
    assert [*seen, connections.full] == [False, True, False]
