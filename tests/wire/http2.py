"""One open HTTP/2 connection to the endpoint, on which anything can be asked or sent; and a service that speaks it."""

import json
import socket
import ssl
from typing import Any, Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes
from tests.wire.upstream import Upstream


class Http2Line:
    """One open connection with any number of requests at once. The same to ask as `Line`."""

    def __init__(self, secured: ssl.SSLSocket, host: str) -> None:
        assert secured.selected_alpn_protocol() == "h2"
        self.socket, self._host, self.tls_version = secured, host, secured.version()
        self.connection = H2Connection(H2Configuration(client_side=True))
        self.connection.initiate_connection()
        self._answers: dict[int, tuple[int, bytes, bool]] = {}
        self._refused: dict[int, str] = {}
        self.gone: str = ""
        self.send()

    def send(self) -> None:
        """Send what the protocol has to say."""
        self.socket.sendall(self.connection.data_to_send())

    def begin(
        self, path: str, headers: tuple[tuple[str, str], ...] = (), *, method: str = "GET", end: bool = True
    ) -> int:
        """Send the head of a request, and return the number of its stream."""
        stream = self.connection.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", self._host), (":path", path), *headers]
        self.connection.send_headers(stream, head, end_stream=end)
        self.send()
        return stream

    def finish(self, stream: int, body: bytes = b"") -> None:
        """Send the rest of a request."""
        self.connection.send_data(stream, body, end_stream=True)
        self.send()

    def answer(self, stream: int) -> tuple[int, bytes]:
        """Return status and body of the answer. Raises `ConnectionError` if the stream or the connection is ended."""
        while True:
            status, body, whole = self._answers.get(stream, (0, b"", False))
            if whole:
                return status, body
            if stream in self._refused:
                raise ConnectionResetError(self._refused[stream])
            if self.gone:
                raise ConnectionAbortedError(self.gone)
            self.take()

    def ask(self, path: str, headers: tuple[tuple[str, str], ...] = ()) -> tuple[int, bytes]:
        """Send one GET, and return status and body."""
        return self.answer(self.begin(path, headers))

    def take(self) -> None:
        """Take what comes next; the socket's time-out bounds it."""
        received = self.socket.recv(65536)
        if not received:
            self.gone = self.gone or "closed"
            return
        for event in self.connection.receive_data(received):
            self._note(event)
        self.send()

    @property
    def most_streams(self) -> int:
        """How many streams the other side allows at once, as it said."""
        return int(self.connection.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS])

    def _note(self, event: Any) -> None:
        if isinstance(event, ResponseReceived):
            self._answers[event.stream_id] = (int(dict(event.headers)[b":status"]), b"", False)
        elif isinstance(event, DataReceived):
            status, body, _ = self._answers[event.stream_id]
            self._answers[event.stream_id] = (status, body + event.data, False)
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            status, body, _ = self._answers[event.stream_id]
            self._answers[event.stream_id] = (status, body, True)
        elif isinstance(event, StreamReset):
            self._refused[event.stream_id] = name_of(event.error_code)
        elif isinstance(event, ConnectionTerminated):
            self.gone = name_of(event.error_code)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def name_of(code: Any) -> str:
    """Return the name of an error code (RFC 9113 section 7)."""
    return ErrorCodes(code).name


def serve_http2(_: Upstream, connection: socket.socket) -> None:
    """Answer each request with what was sent: headers, trailers and body, in JSON."""
    server = H2Connection(H2Configuration(client_side=False))
    server.initiate_connection()
    connection.sendall(server.data_to_send())
    requests: dict[int, dict[str, Any]] = {}
    while received := connection.recv(65536):
        for event in server.receive_data(received):
            if isinstance(event, RequestReceived):
                requests[event.stream_id] = {"headers": _texts(event.headers), "trailers": [], "body": ""}
            elif isinstance(event, TrailersReceived):
                requests[event.stream_id]["trailers"] = _texts(event.headers)
            elif isinstance(event, DataReceived):
                requests[event.stream_id]["body"] += event.data.decode()
            elif isinstance(event, StreamEnded):
                server.send_headers(event.stream_id, [(":status", "200")])
                server.send_data(event.stream_id, json.dumps(requests[event.stream_id]).encode(), end_stream=True)
        connection.sendall(server.data_to_send())


def _texts(headers: Any) -> list[tuple[str, str]]:
    return [(bytes(name).decode(), bytes(value).decode()) for name, value in headers]
