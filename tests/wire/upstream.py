"""Services behind the endpoint that do what a test says, one connection at a time, and keep what they were sent."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Upstream:
    """A service on a port of loopback; `heads` are the requests that it read, up to the empty line."""

    port: int
    heads: list[str] = field(default_factory=list)

    def read(self, connection: socket.socket) -> bytes:
        """Read one request with its body, and keep its head; empty when the connection is at its end."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := connection.recv(65536)):
                return b""
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while lengths and len(body) < int(lengths[0].split(b":")[1]):
            body += connection.recv(65536)
        self.heads.append(head.decode())
        return head + b"\r\n\r\n" + body


Serve = Callable[[Upstream, socket.socket], None]


def answer(upstream: Upstream, connection: socket.socket) -> None:
    """Answer each request with 200 and its path."""
    while request := upstream.read(connection):
        path = request.split(b" ")[1]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))


def reset(upstream: Upstream, connection: socket.socket) -> None:
    """Read a request, and reset the connection instead of answering: what was done is anybody's guess."""
    upstream.read(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[Upstream]:
    """Serve on a free port: each connection is handed to `serve`, and closed when that returns."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        upstream = Upstream(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, upstream, serve, tls), daemon=True).start()
        try:
            yield upstream
        finally:
            # Closing alone would leave the thread waiting in accept.
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, upstream: Upstream, serve: Serve, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_one, args=(connection, upstream, serve, tls), daemon=True).start()


def _one(connection: socket.socket, upstream: Upstream, serve: Serve, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), connection:
        if tls is None:
            serve(upstream, connection)
        else:
            with tls.wrap_socket(connection, server_side=True) as secured:
                serve(upstream, secured)
