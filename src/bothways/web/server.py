"""HTTP servers inside the hub's process, on uvicorn: on a unix socket, or over TLS on a port."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from bothways import files
from bothways.xds.state import KeyPair

_STOP_SECONDS = 2


class ServerCertificate:
    """The TLS context of a server (TLS 1.2 or higher) with the certificate that is in force, also when it is renewed.

    `directory` is a private one, for systems without files in memory.
    """

    def __init__(self, directory: Path, pair: KeyPair) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._directory = directory
        self._loaded = ""
        self.follow(pair)

    def follow(self, pair: KeyPair) -> None:
        """Present `pair` at every handshake from now on; connections that are open stay as they are."""
        if pair.fingerprint == self._loaded:
            return
        with files.readable((pair.key_pem + pair.certificate_pem).encode(), self._directory) as path:
            self.context.load_cert_chain(path)
        self._loaded = pair.fingerprint


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process it is a part of."""

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


async def serve_over_tls(app: FastAPI, address: str, port: int, certificate: ServerCertificate) -> None:
    """Serve `app` over TLS on a port, until this task is cancelled."""
    with _listener(address, port) as listener:
        await _serve(_config(app, ssl_context_factory=lambda *_: certificate.context), listener)


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


def _config(app: FastAPI, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=_STOP_SECONDS,
        **more,
    )
