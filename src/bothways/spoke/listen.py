"""A receiver of the hub's calls, for a first look: mutual TLS, trust in the Client CA, never in a leaf (R12, R15)."""

import json
import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509

from bothways.errors import Unreachable, Unusable
from bothways.pki.chain import fingerprint
from bothways.spoke.directory import Spoke

_SOCKET_TIMEOUT = 30.0
_BODY_LIMIT = 1 << 20
_FORBIDDEN, _LENGTH_REQUIRED, _TOO_LARGE = 403, 411, 413


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of the hub, and who made it: the subject and the fingerprint of the client certificate."""

    method: str
    path: str
    caller: str
    fingerprint: str
    tls_version: str
    body: str

    def document(self) -> dict[str, Any]:
        """Return the call as the JSON object that the command line shows."""
        return asdict(self)


class Receiver(ThreadingHTTPServer):
    """Listens on `address`:`port` (0 takes a free one), and hands each call to `on_callback`.

    `on_refused` is told why a connection was refused. Raises `Unusable` or `Unreachable` if it cannot listen.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        spoke: Spoke,
        address: tuple[str, int],
        certificate: Path,
        key: Path,
        on_callback: Callable[[Callback], None],
        on_refused: Callable[[str], None],
    ) -> None:
        self.hub_name = spoke.contract.terms.hub
        self.on_callback = on_callback
        self.on_refused = on_refused
        self._context = _context(spoke, certificate, key)
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise Unreachable(
                f"port {address[1]} at {address[0]} cannot be listened on: {(error.strerror or str(error)).lower()}. "
                "Name another one: --port"
            ) from error

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread, so that a slow peer holds up nobody."""
        request.settimeout(_SOCKET_TIMEOUT)
        try:
            secured = self._context.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError) as error:
            self.on_refused(getattr(error, "reason", None) or str(error))
            return
        try:
            _Handler(secured, client_address, self)
        finally:
            secured.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is nothing to print a traceback for."""
        del request, client_address
        self.on_refused("the connection broke")


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    connection: ssl.SSLSocket
    protocol_version = "HTTP/1.1"
    server_version = "bothways"
    sys_version = ""

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, ssl.SSLError, TimeoutError):
            self.close_connection = True

    def answer(self) -> None:
        said = self.headers.get("Content-Length") or "0"
        # What cannot be measured is not read: the rest of it would be taken for the next request.
        if "Transfer-Encoding" in self.headers or not (said.isascii() and said.isdigit()):
            self.send_error(_LENGTH_REQUIRED)
            return
        length = int(said)
        if length > _BODY_LIMIT:
            self.send_error(_TOO_LARGE)
            return
        body = self.rfile.read(length)
        certificate = x509.load_der_x509_certificate(self.connection.getpeercert(binary_form=True) or b"")
        caller = certificate.subject.rfc4514_string()
        if self.server.hub_name not in _dns_ids(certificate):
            self.server.on_refused(f"{caller} is not {self.server.hub_name}")
            self.send_error(_FORBIDDEN)
            return
        self.server.on_callback(
            Callback(
                self.command,
                self.path,
                caller,
                fingerprint(certificate),
                self.connection.version() or "",
                body.decode(errors="replace"),
            )
        )
        content = json.dumps({"received": True, "caller": caller, "bytes": length}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer  # noqa: N815 - the names of http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Say nothing: calls are handed to `on_callback`."""


def _context(spoke: Spoke, certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=spoke.contract.trust.client_ca)
    # A resumed session would carry an authenticated hub past a change of the Client CA.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise Unusable(
            f"the server certificate {certificate} and its key {key} cannot be used: {error}. "
            "Give both in PEM: --certificate and --key"
        ) from error
    return context


def _dns_ids(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return names.get_values_for_type(x509.DNSName)
