"""HTTP servers inside the hub's process, on uvicorn: on a unix socket, or over TLS on a port."""

import asyncio
import contextlib
import socket
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from bothways.xds.state import KeyPair

_STOP_SECONDS = 2


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


async def serve_over_tls(app: FastAPI, address: str, port: int, pair: KeyPair) -> None:
    """Serve `app` over TLS 1.2 or higher on a port, until this task is cancelled."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The ssl module reads keys from files alone; this one is unreadable to others, and gone when it was read.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pair.key_pem + pair.certificate_pem)
        file.flush()
        context.load_cert_chain(file.name)
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        await _serve(_config(app, ssl_context_factory=lambda *_: context), listener)


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
