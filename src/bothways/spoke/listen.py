"""A receiver of the hub's calls, for a first look: mutual TLS, trust in the Client CA, never in a leaf (R12, R15)."""

import io
import json
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509

from bothways.errors import Refused, Unreachable, Unusable
from bothways.spoke.caller import Caller, proved_caller
from bothways.spoke.connections import HANDSHAKE_SECONDS, LIMIT, REQUEST_SECONDS, Connection, Connections
from bothways.spoke.directory import Spoke
from bothways.spoke.forward import ANSWER_SECONDS, Answer, handed_on
from bothways.spoke.identity import Identity, reloading_identity
from bothways.xds.state import Address

_BODY_LIMIT = 1 << 20
_PORTS = 1 << 16
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it showed no client certificate",
    "CERTIFICATE_VERIFY_FAILED": "its client certificate is not one of the Client CA in the contract",
}
_FORBIDDEN, _LENGTH_REQUIRED, _TOO_LARGE, _UNAVAILABLE = 403, 411, 413, 503
_WITHOUT_BODY = 204, 304


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of the hub, and who made it: the subject and the fingerprint of the client certificate."""

    method: str
    path: str
    caller: str
    fingerprint: str
    tls_version: str
    headers: tuple[tuple[str, str], ...]
    raw: bytes

    @property
    def body(self) -> str:
        """The body as text, for people."""
        return self.raw.decode(errors="replace")

    def document(self) -> dict[str, Any]:
        """Return the call as the JSON object that the command line shows."""
        document = asdict(self)
        del document["raw"]
        return document | {"body": self.body}


class Receiver(ThreadingHTTPServer):
    """Listens on `address` (host and port, 0 takes a free one), and hands each call to `on_callback`.

    With an `application`, each call is handed on to it then, and its answer is the hub's.
    `on_refused` is told why a connection was refused, what is wrong with the application, and when files changed:
    certificate, key and contract are read again for new connections, and open ones end after the request that they are
    at. If `on_callback` raises an `OSError`, the call is answered with 503, and the receiver ends; the error is in
    `failure`.
    Raises `Unusable` or `Unreachable` if it cannot listen.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(
        self,
        spoke: Spoke,
        address: tuple[str, int],
        certificate: Path,
        key: Path,
        on_callback: Callable[[Callback], None],
        on_refused: Callable[[str], None],
        application: Address | None = None,
    ) -> None:
        self.application = application
        self.on_callback = on_callback
        self.on_refused = on_refused
        self.failure: OSError | None = None
        self.connections = Connections()
        self.identity = reloading_identity(spoke, certificate, key, on_refused)
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        if not 0 <= address[1] < _PORTS:
            raise Unusable(f"{address[1]} is no port. Name one from 1 to 65535, or 0 for a free one: --port")
        try:
            super().__init__(address, BaseHTTPRequestHandler)
        except (OSError, UnicodeError) as error:
            raise Unreachable(_not_listening(address, error)) from error

    def server_bind(self) -> None:
        """Bind, without asking DNS for a name of the address, which may take a minute."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = map(str, self.server_address[:2])  # type: ignore[assignment]

    def stop(self) -> None:
        """Let `serve_forever` return. Waits for nothing, so that a signal handler and any thread can call it."""
        threading.Thread(target=self.shutdown, daemon=True).start()

    def drain(self, seconds: float) -> None:
        """Take no more connections, and let requests that are being handled end; after so many seconds, cut them."""
        self.server_close()
        self.connections.drain(seconds)

    def fail(self, error: OSError) -> None:
        """End, because calls can be told to nobody."""
        self.failure = error
        self.stop()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Close what is too much at once, before it costs a thread."""
        del request
        if self.connections.full:
            self.on_refused(f"refused {client_address[0]}: there are {LIMIT} connections already")
            return False
        return True

    def service_actions(self) -> None:
        """End what takes too long; called twice a second by `serve_forever`, and after each connection."""
        self.connections.end_overdue()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, so that a slow peer holds up nobody."""
        identity = self.identity.now()
        with self.connections.entered(request) as connection:
            request.settimeout(HANDSHAKE_SECONDS)
            with identity.context.wrap_socket(request, server_side=True, do_handshake_on_connect=False) as secured:
                connection.socket = secured
                try:
                    secured.do_handshake()
                except OSError as error:
                    self.on_refused(f"refused {client_address[0]}: {_handshake_failure(error)}")
                    return
                secured.settimeout(REQUEST_SECONDS)
                _Handler(secured, client_address, self, connection, identity)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is nothing to print a traceback for."""
        del request
        self.on_refused(f"the connection of {client_address[0]} broke: {sys.exception()!r}")


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    connection: ssl.SSLSocket
    rfile: io.BufferedReader
    protocol_version = "HTTP/1.1"
    server_version = "bothways"
    sys_version = ""

    def __init__(
        self, request: ssl.SSLSocket, address: Any, server: Receiver, tracked: Connection, identity: Identity
    ) -> None:
        self.tracked, self.identity = tracked, identity
        super().__init__(request, address, server)

    def handle_one_request(self) -> None:
        self.tracked.busy = False
        self.tracked.allow(REQUEST_SECONDS)
        try:
            if self.server.connections.ending or not self.rfile.peek(1):
                self.close_connection = True
                return
            self.tracked.busy = True
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def answer(self) -> None:
        said = self.headers.get("Content-Length") or "0"
        # What cannot be measured is not read: the rest of it would be taken for the next request.
        if "Transfer-Encoding" in self.headers or not (said.isascii() and said.isdigit()):
            self.send_error(_LENGTH_REQUIRED)
            return
        if len(said) > len(str(_BODY_LIMIT)) or int(said) > _BODY_LIMIT:
            self.send_error(_TOO_LARGE)
            return
        body = self.rfile.read(int(said))
        if len(body) < int(said):
            raise ConnectionError(f"the body ended after {len(body)} bytes of {said}")
        certificate = x509.load_der_x509_certificate(self.connection.getpeercert(binary_form=True) or b"")
        try:
            caller = proved_caller(certificate, self.identity.terms)
        except Refused as error:
            self.server.on_refused(f"refused {self.client_address[0]}: {error}")
            self.send_error(_FORBIDDEN)
            return
        headers, version = tuple(self.headers.items()), self.connection.version() or ""
        try:
            self.server.on_callback(
                Callback(self.command, self.path, caller.subject, caller.fingerprint, version, headers, body)
            )
        except OSError as error:
            self.server.fail(error)
            self.send_error(_UNAVAILABLE)
            return
        self.reply(self.answered(caller, body))

    def answered(self, caller: Caller, body: bytes) -> Answer:
        """Return the application's answer, or a short one of our own if there is no application."""
        if self.server.application is None:
            document = {"received": True, "caller": caller.subject, "bytes": len(body)}
            return Answer(200, [("Content-Type", "application/json")], json.dumps(document).encode() + b"\n")
        self.tracked.allow(ANSWER_SECONDS + REQUEST_SECONDS)
        sent = self.headers.items()
        answer = handed_on(self.server.application, self.command, self.path, sent, body, caller)
        if answer.failure:
            self.server.on_refused(f"{self.command} {self.path} is answered with {answer.status}: {answer.failure}")
        return answer

    def reply(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if not any(name.lower() == "date" for name, _ in answer.headers):
            self.send_header("Date", self.date_time_string())
        if answer.status not in _WITHOUT_BODY:
            self.send_header("Content-Length", str(len(answer.body)))
        # The end of the receiver, and of the trust under which this connection was opened, is the end of it too.
        if self.server.connections.ending or self.server.identity.now() is not self.identity:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815 - the names of http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Say nothing: calls are handed to `on_callback`."""


def _not_listening(address: tuple[str, int], error: Exception) -> str:
    said = (getattr(error, "strerror", None) or str(error)).lower()
    hint = "Ports below 1024 need a privilege" if isinstance(error, PermissionError) else "It may be taken"
    return (
        f"port {address[1]} at {address[0]} cannot be listened on: {said}. {hint}; name another one: --port, --address"
    )


def _handshake_failure(error: OSError) -> str:
    reason = str(getattr(error, "reason", None) or error)
    meant = _REASONS.get(reason)
    more = getattr(error, "verify_message", "")
    return f"{meant} ({reason}{': ' if more else ''}{more})" if meant else f"the handshake failed: {reason}"
