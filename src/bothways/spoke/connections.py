"""The receiver's open connections: how many there may be, how long each may take, and how they end."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

LIMIT = 256
"""Connections at once; a hub's Envoy opens a few."""

HANDSHAKE_SECONDS = 10.0
"""For the whole handshake, however it trickles in."""

REQUEST_SECONDS = 30.0
"""For waiting for a request and receiving the whole of it; as long as the hub's Envoy waits for an answer."""


@dataclass(eq=False)
class Connection:
    """One connection: its socket, until when it may take (`time.monotonic`), and whether a request is being handled."""

    socket: socket.socket
    deadline: float
    busy: bool = False

    def allow(self, seconds: float) -> None:
        """Give the next step so many seconds from now."""
        self.deadline = time.monotonic() + seconds

    def cut(self) -> None:
        """End the connection; whoever reads or writes there is woken."""
        # Not SSLSocket's own method, which would let a thread that writes go on in plain text.
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Connections:
    """All open connections. Called from many threads."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._changed = threading.Condition()
        self._ending = False

    @property
    def ending(self) -> bool:
        """Tell whether connections shall end after the request that they are at."""
        return self._ending

    @property
    def full(self) -> bool:
        """Tell whether there are as many as there may be."""
        return len(self._open) >= LIMIT

    @contextmanager
    def entered(self, plain: socket.socket) -> Iterator[Connection]:
        """Count a connection as long as it is handled; its handshake has to be over in time."""
        connection = Connection(plain, time.monotonic() + HANDSHAKE_SECONDS)
        with self._changed:
            self._open.add(connection)
            if self._ending:
                connection.cut()
        try:
            yield connection
        finally:
            with self._changed:
                self._open.remove(connection)
                self._changed.notify_all()

    def end_overdue(self) -> None:
        """Cut what took longer than it may."""
        now = time.monotonic()
        with self._changed:
            for connection in self._open:
                if connection.deadline < now:
                    connection.cut()

    def drain(self, seconds: float) -> None:
        """End idle connections at once, and the others after their request, or after so many seconds."""
        with self._changed:
            self._ending = True
            for connection in self._open:
                if not connection.busy:
                    connection.cut()
            self._changed.wait_for(lambda: not self._open, seconds)
            for connection in self._open:
                connection.cut()
