"""Customers' servers of several makes, which want the hub's client certificate and say which one they saw."""

import hashlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.conftest import free_ports
from tests.programs import require

from bothways.demo.customer_ca import ServerFiles

_SECONDS = 10.0
_NGINX = """
daemon off; worker_processes 1; pid {place}/nginx.pid; error_log {place}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;
  fastcgi_temp_path {place}/fastcgi; uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate {files.certificate}; ssl_certificate_key {files.key};
    ssl_client_certificate {client_ca}; ssl_verify_client on; keepalive_timeout 60; keepalive_requests 100000;
    location / {{ return 200 "$ssl_client_serial"; }}
  }}
}}
"""


def reachable(port: int) -> None:
    """Wait until somebody listens at the port."""
    end = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, f"nobody listens at {port}"
            time.sleep(0.02)
        else:
            return


@contextmanager
def process(*command: str) -> Iterator[None]:
    """Run a server until the block ends."""
    require(command[0])
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            yield
        finally:
            running.terminate()


@contextmanager
def nginx(place: Path, files: ServerFiles, client_ca: Path) -> Iterator[int]:
    """Run nginx, which keeps connections open; yield its port. It answers with the serial number that it saw."""
    [port] = free_ports(1)
    configuration = place / "nginx.conf"
    configuration.write_text(_NGINX.format(place=place, port=port, files=files, client_ca=client_ca))
    with process("nginx", "-p", str(place), "-c", str(configuration), "-e", str(place / "error.log")):
        reachable(port)
        yield port


@contextmanager
def s_server(files: ServerFiles, client_ca: Path) -> Iterator[int]:
    """Run `openssl s_server`, which closes after each answer; yield its port."""
    [port] = free_ports(1)
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-Verify", "2", "-verify_return_error"]
    command += ["-CAfile", str(client_ca), "-cert", str(files.certificate), "-key", str(files.key), "-quiet"]
    command += ["-cert_chain", str(files.certificate)]
    with process(*command):
        reachable(port)
        yield port


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a handshake that fails is the caller's affair."""


class Python:
    """A threaded server of Python, with connections that stay open; `seen` are the SHA-256 of all certificates.

    `pinned` is the only certificate that it lets in, if it is set: others get 403, after the handshake.
    """

    def __init__(self, files: ServerFiles, client_ca: str) -> None:
        self.seen: list[str] = []
        self.pinned: str | None = None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(files.certificate, files.key)
        self.trust(client_ca)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._server.socket = self.context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port = int(self._server.server_address[1])

    def trust(self, pem: str) -> None:
        """Trust another CA beside those that are trusted."""
        self.context.load_verify_locations(cadata=pem)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 120
            # Head and body in one write: in two, the second waits 40 ms for the first one's acknowledgement.
            wbufsize = -1

            def do_GET(self) -> None:
                found = hashlib.sha256(self.connection.getpeercert(binary_form=True)).hexdigest()
                outer.seen.append(found)
                body = found.encode()
                self.send_response(200 if outer.pinned in {None, found} else 403)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler

    @contextmanager
    def running(self) -> Iterator[None]:
        """Serve until the block ends."""
        with ExitStack() as stack:
            thread = threading.Thread(target=self._server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(self._server.shutdown)
            stack.callback(self._server.server_close)
            yield
