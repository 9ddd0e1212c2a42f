"""The hub for programs that call with `aiohttp`: a connector on the spoke's line (R1, R10).

Needs the extra `aiohttp`; nothing else of the spoke imports this module.
"""

import errno
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

from bothways.spoke.client import TIMEOUT
from bothways.spoke.directory import Spoke
from bothways.spoke.events import Event
from bothways.spoke.line import CONNECTIONS_MOST, KEEP_ALIVE_SECONDS, Ask
from bothways.spoke.pooled import Opening
from bothways.spoke.race import DELAY_SECONDS
from bothways.spoke.spoke_line import SpokeLine


def open_session(
    directory: str | Path | Spoke,
    *,
    on_event: Callable[[Event], None] | None = None,
    ask: Ask | None = None,
    **options: Any,
) -> aiohttp.ClientSession:
    """Return an aiohttp session to the hub, for paths at its endpoint: `session.get("/tokens")`. The caller closes it.

    Other options are those of `aiohttp.ClientSession`. Without a time-out, each step of a call has 30 s.
    """
    connector = Connector(directory, on_event=on_event, ask=ask)
    timeout = aiohttp.ClientTimeout(total=None, connect=TIMEOUT, sock_read=TIMEOUT)
    return aiohttp.ClientSession(connector.endpoint, **({"timeout": timeout} | options), connector=connector)


class Connector(aiohttp.TCPConnector):
    """For a session of one's own: `aiohttp.ClientSession(connector.endpoint, connector=connector)`.

    Whom it trusts and what it shows is what the spoke directory says: it refuses `ssl=...` of a request, and proxies.
    aiohttp sends an idempotent request a second time if an open connection ends before the answer; no other one.
    """

    def __init__(
        self,
        directory: str | Path | Spoke,
        *,
        on_event: Callable[[Event], None] | None = None,
        ask: Ask | None = None,
        limit: int = CONNECTIONS_MOST,
    ) -> None:
        self._line = SpokeLine(directory, on_event, ask)
        self._version = self._line.look()
        self.endpoint, self.metrics = self._line.endpoint, self._line.metrics
        super().__init__(
            ssl=self._line.context()[0],
            limit=limit,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            happy_eyeballs_delay=DELAY_SECONDS,
            interleave=1,
        )
        self._factory = partial(cast("type[ResponseHandler]", _Protocol), loop=self._loop)
        self._line.on_answer = self._answered

    async def connect(self, req: aiohttp.ClientRequest, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 - as aiohttp has it
        """Return a connection that may take the request, or a new one."""
        if not req.is_ssl():
            raise aiohttp.NonHttpUrlClientError(
                f"{req.url} has no TLS, and both sides have to be authenticated. Use https://"
            )
        if req.ssl is not True or req.proxy:
            raise ValueError(
                "the spoke's contract says whom to trust, and its directory has the certificate: "
                "leave out ssl and proxy"
            )
        if (version := self._line.look()) != self._version:
            self._version = version
            self._line.sweep()
            self._cleanup()
        return await super().connect(req, traces, timeout)

    async def _create_connection(self, req: aiohttp.ClientRequest, traces: Any, timeout: Any) -> ResponseHandler:  # noqa: ASYNC109 - as above
        host = str(req.url.raw_host)
        self._ssl, version = self._line.context()
        opening = Opening(self._line, version)
        with opening.step(host):
            made = await super()._create_connection(req, traces, timeout)
        assert isinstance(made, _Protocol)  # noqa: S101 - as the factory makes it
        assert made.transport is not None  # noqa: S101 - it has just connected
        opening.opened(host, self._as_answered(host, made.transport.get_extra_info("peername")[0]))
        opening.connected(made.transport.get_extra_info("ssl_object"))
        made.opening = opening
        return made

    async def _resolve_host(self, host: str, port: int, traces: Sequence[Any] | None = None) -> list[Any]:
        del traces
        try:
            found = await self._line.resolver.addresses_async(host)
        except OSError as error:
            # aiohttp shows the text of an error number, and no other.
            raise OSError(errno.EADDRNOTAVAIL, str(error)) from error
        return [
            {"hostname": host, "host": each, "port": port, "family": self._family, "proto": 0, "flags": 0}
            for each in found
        ]

    def _close(self, *, abort_ssl: bool = False) -> list[Awaitable[object]]:
        self._line.close()
        return super()._close(abort_ssl=abort_ssl)

    def _answered(self) -> None:
        # Called by a thread of the resolver; connections belong to the event loop, and end with it.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._cleanup)

    def _as_answered(self, host: str, peer: str) -> str:
        """Return the peer's address as DNS wrote it: an IPv6 address can be written in more than one way."""
        address = ipaddress.ip_address(peer.partition("%")[0])
        known = self._line.resolver.known(host).until
        return next((each for each in known if ipaddress.ip_address(each) == address), peer)


class _Protocol(ResponseHandler):
    """One connection; `opening` is set once it stands."""

    opening: Opening | None = None

    def is_connected(self) -> bool:
        """As aiohttp asks it before it gives an idle connection a request, or keeps it."""
        return super().is_connected() and not self._over

    @property
    def should_close(self) -> bool:
        """As aiohttp asks it after the answer."""
        return self._over or super().should_close

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.opening:
            self.opening.end()
        super().connection_lost(exc)

    @property
    def _over(self) -> bool:
        return self.opening is not None and self.opening.over
