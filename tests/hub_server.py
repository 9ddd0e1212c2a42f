"""A server in the hub's role at one address of this machine, for tests of what follows DNS."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, create_server

from tests.wire.servers import ServerPki


@dataclass
class HubServer:
    """A server in the hub's role at one address; it counts the requests, and knows whether connections are open."""

    requests: int = 0
    connections: int = 0


@contextmanager
def hub_server(pki: ServerPki, address: str, port: int, client_ca: str, customer: str = "") -> Iterator[HubServer]:
    """Answer `/connectivity` with 200, all else with 404, and keep connections open."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    context.load_verify_locations(cadata=client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    server = HubServer()

    def serve(plain: object) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:  # type: ignore[arg-type]
            server.connections += 1
            try:
                while request := secured.recv(65536):
                    server.requests += 1
                    known = b" /connectivity " in request.split(b"\r\n")[0]
                    body = json.dumps({"customer": customer}).encode()
                    status = b"200 OK" if known else b"404 Not Found"
                    secured.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
                    if b"connection: close" in request.lower():
                        break
            finally:
                server.connections -= 1

    with create_server((address, port), family=AF_INET6 if ":" in address else AF_INET) as listening:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = listening.accept()
                    threading.Thread(target=serve, args=(plain,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield server
        with suppress(OSError):
            listening.shutdown(2)
