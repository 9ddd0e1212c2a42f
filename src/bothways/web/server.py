"""HTTP servers inside the hub's process, on uvicorn: on a unix socket, or over TLS on a port."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from bothways import files
from bothways.web.lines import Line
from bothways.xds.state import KeyPair

_STOP_SECONDS = 2
_HANDSHAKE_SECONDS = 10.0


class ServerCertificate:
    """The TLS context of a server (TLS 1.2 or higher) with the certificate that is in force, also when it is renewed.

    `directory` is a private one, for systems without files in memory. With `clients`, a client has to show a
    certificate under these CAs (PEM), and no session is resumed.
    """

    def __init__(self, directory: Path, pair: KeyPair, clients: str = "") -> None:
        self._directory = directory
        self._loaded = ("", clients)
        self.context = self._latest = _context(clients)
        if clients:
            # A context forgets no CA: one with other CAs takes its place in each handshake, before anything is shown.
            self.context.sni_callback = self._switch
        self.follow(pair, clients)

    def follow(self, pair: KeyPair, clients: str = "") -> None:
        """Present `pair` at every handshake from now on, and take clients under these CAs and no others.

        Connections that are open stay as they are.
        """
        if (pair.certificate_pem, clients) == self._loaded:
            return
        context = self._latest if clients == self._loaded[1] else _context(clients)
        with files.readable((pair.key_pem + pair.certificate_pem).encode(), self._directory) as path:
            context.load_cert_chain(path)
        self._latest, self._loaded = context, (pair.certificate_pem, clients)

    def _switch(self, handshake: ssl.SSLObject, _name: str | None, _before: ssl.SSLContext) -> None:
        handshake.context = self._latest


def _context(clients: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=clients)
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    return context


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process it is a part of, and waits for no handshake without end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on these sockets: uvicorn itself cannot say how long half a handshake may hold a file open."""
        await super().startup([])
        config = self.config
        protocol: Any = config.http_protocol_class
        connection = partial(
            protocol,
            config=config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        for each in sockets or ():
            server = await asyncio.get_running_loop().create_server(
                connection,
                sock=each,
                ssl=config.ssl,
                backlog=config.backlog,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS if config.ssl else None,
            )
            self.servers.append(server)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


async def serve_on_socket(app: FastAPI, path: Path) -> None:
    """Serve `app` on a unix socket that only this user can reach, until this task is cancelled."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(128)
        listener.setblocking(False)
        await _serve(_config(app), listener)


async def serve_over_http(app: FastAPI, address: str, port: int) -> None:
    """Serve `app` on a port without TLS, for programs inside the hub's network, until this task is cancelled."""
    with _listener(address, port) as listener:
        await _serve(_config(app), listener)


async def serve_over_tls(app: ASGIApp, address: str, port: int, certificate: ServerCertificate) -> None:
    """Serve `app` over TLS on a port, until this task is cancelled.

    A client's certificate stands in the scope as the TLS extension of ASGI says: `client_cert_chain`, in PEM.
    """
    with _listener(address, port) as listener:
        await _serve(_config(app, ssl_context_factory=lambda *_: certificate.context, http=Line), listener)


@contextlib.contextmanager
def _listener(address: str, port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        yield listener


async def _serve(config: uvicorn.Config, listener: socket.socket) -> None:
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(task)
    finally:
        server.should_exit = True
        await asyncio.wait([task])


def _config(app: ASGIApp, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        # Nobody stands before it whose word on where a request came from would count.
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
        **more,
    )
