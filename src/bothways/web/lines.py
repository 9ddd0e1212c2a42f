"""HTTP/1.1 connections over TLS: who is at the other end, how long it is waited for, and how many one address has."""

import asyncio
import ssl
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_PATIENCE = 30.0
_OF_ONE, _OF_ALL = 100, 500

_SENDING = (h11.IDLE, h11.SEND_BODY)
"""The caller's part of a request is not whole yet."""


class Line(H11Protocol):
    """One connection, with the client's certificate in the scope; uvicorn itself does not tell of it.

    Who has not sent a whole request 30 seconds after its beginning is cut off, and so is who comes without a
    certificate when there are too many of them: uvicorn would wait for ever, with a file open for each.
    """

    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look at the certificate once, when the handshake is over."""
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        shown = secured.getpeercert(binary_form=True) if secured else None
        if not shown and self._crowded():
            transport.abort()
            return
        self._wait()
        chain = [ssl.DER_cert_to_PEM_cert(shown)] if shown else []
        inner: Any = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            extensions = {**scope.get("extensions", {}), "tls": {"client_cert_chain": chain}}
            await inner({**scope, "extensions": extensions}, receive, send)

        self.app = app

    def data_received(self, data: bytes) -> None:
        """Take what came; the clock runs while a request is not whole."""
        super().data_received(data)
        if self.conn.their_state in _SENDING:
            self._wait()
        else:
            self._wait_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _crowded(self) -> bool:
        here = [each.client[0] for each in self.connections if isinstance(each, Line) and each.client]
        return len(here) > _OF_ALL or (self.client is not None and here.count(self.client[0]) > _OF_ONE)

    def _wait(self) -> None:
        if self._ends is None:
            self._ends = self.loop.call_later(_PATIENCE, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
