"""The transport of the spoke's asynchronous client: as `transport`, for asyncio and trio."""

import asyncio
import importlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any

import anyio
import anyio.lowlevel
import httpcore2
import httpx2

from bothways.spoke.connect import connect_async
from bothways.spoke.line import Line
from bothways.spoke.pooled import LIMITS, Judged, Opening, check, pooling
from bothways.spoke.tracing import client_span, is_wanted

_LOG = logging.getLogger("bothways.spoke")
_TASKS = set[asyncio.Future[None]]()
"""What runs; asyncio itself would forget it."""


class AsyncTransport(httpx2.AsyncHTTPTransport):
    """As `Transport`, in one event loop."""

    def __init__(self, line: Line, limits: httpx2.Limits = LIMITS, *, http1: bool = True, http2: bool = False) -> None:
        super().__init__(verify=line.context()[0], trust_env=False)
        self._line, self._version = line, line.look()
        self._pool = self._own = _Pool(line, **pooling(limits, http1=http1, http2=http2))
        self._loop: anyio.lowlevel.EventLoopToken | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request over a connection that may take it, or over a new one."""
        check(request)
        if self._loop is None:
            self._loop = anyio.lowlevel.current_token()
            self._line.on_answer = self._answered
        if (version := self._line.look()) != self._version:
            self._version = version
            self._line.sweep()
            await self._own.sweep()
        if not is_wanted():
            return await super().handle_async_request(request)
        with client_span(request) as answered:
            response = await super().handle_async_request(request)
            answered(response.status_code)
        return response

    async def aclose(self) -> None:
        """Close all connections, and end asking for addresses."""
        self._line.close()
        await super().aclose()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close everything, as `aclose` does."""
        self._line.close()
        await super().__aexit__(exc_type, exc_value, traceback)

    def _answered(self) -> None:
        # Called by a thread of the resolver, which must not wait for the event loop: that may end any time, and its
        # connections with it.
        with suppress(RuntimeError):
            if self._loop is not None:
                _start(self._loop, self._swept)

    async def _swept(self) -> None:
        try:
            await self._own.sweep()
        except Exception:  # noqa: BLE001 - nobody waits for it, and trio would end all for it
            _LOG.exception("closing idle connections")


class _Pool(httpcore2.AsyncConnectionPool):
    def __init__(self, line: Line, **options: Any) -> None:
        super().__init__(**options)
        self._line = line

    def create_connection(self, origin: httpcore2.Origin) -> httpcore2.AsyncConnectionInterface:
        """Return a connection that will have a lease; its TLS is as the files are now."""
        context, version = self._line.context()
        opening = Opening(self._line, version)
        backend = _Backend(opening, self._network_backend)
        return _Connection(
            opening, origin, context, self._keepalive_expiry, self._http1, self._http2, network_backend=backend
        )

    async def sweep(self) -> None:
        """Close idle connections that may take no request; by itself the pool looks only when a request comes."""
        with self._optional_thread_lock:
            closing = self._assign_requests_to_connections()
        await self._close_connections(closing)


class _Connection(Judged, httpcore2.AsyncHTTPConnection):
    def __init__(self, opening: Opening, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.opening = opening


class _Backend(httpcore2.AsyncNetworkBackend):
    """Connects as the pool's own backend does, which knows the event loop's library, but to addresses of the line."""

    def __init__(self, opening: Opening, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._opening, self._inner = opening, inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore2 calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first current address of the host that answers, DNS included in the time-out."""

        async def attempt(address: str) -> httpcore2.AsyncNetworkStream:
            return await self._inner.connect_tcp(address, port, None, local_address, socket_options)

        resolver = self._opening.line.resolver
        with self._opening.step(host):
            try:
                with anyio.fail_after(timeout):
                    addresses = await resolver.addresses_async(host, timeout)
                    stream, address = await connect_async(
                        addresses, attempt, httpcore2.AsyncNetworkStream.aclose, (httpcore2.ConnectError,)
                    )
            except TimeoutError as error:
                raise httpcore2.ConnectTimeout(f"no address of {host} answers") from error
            except (OSError, httpcore2.ConnectError) as error:
                raise httpcore2.ConnectError(str(_first_cause(error))) from error
        self._opening.opened(host, address)
        return _Stream(self._opening, host, stream)


class _Stream(httpcore2.AsyncNetworkStream):
    def __init__(self, opening: Opening, host: str, inner: httpcore2.AsyncNetworkStream) -> None:
        self._opening, self._host, self._inner = opening, host, inner
        self.read, self.write, self.get_extra_info = inner.read, inner.write, inner.get_extra_info  # type: ignore[method-assign]

    async def aclose(self) -> None:
        self._opening.end()
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore2.AsyncNetworkStream:
        with self._opening.step(self._host):
            inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        self._opening.connected(inner.get_extra_info("ssl_object"))
        return _Stream(self._opening, self._host, inner)


def _start(loop: anyio.lowlevel.EventLoopToken, function: Callable[[], Awaitable[None]]) -> None:
    """Start the function in the event loop, from another thread, and wait for nothing: anyio can only wait."""
    native: Any = loop.native_token
    if isinstance(native, asyncio.AbstractEventLoop):

        def start() -> None:
            task = asyncio.ensure_future(function())
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)

        native.call_soon_threadsafe(start)
    else:
        native.run_sync_soon(importlib.import_module("trio.lowlevel").spawn_system_task, function)


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error
