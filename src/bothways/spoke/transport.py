"""The transport of the spoke's HTTP client: addresses by the book (R10), and connections that do not outlive them."""

import socket
import ssl
import threading
import types
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

from bothways.spoke.connect import connect
from bothways.spoke.reload import Reloading
from bothways.spoke.resolver import Resolver

KEEP_ALIVE_SECONDS = 60.0
"""For which an idle connection is kept; less than the 300 s after which the hub's Envoy ends it."""


class Transport(httpx2.HTTPTransport):
    """An HTTP/1.1 transport over this TLS context that follows no proxy.

    New connections go to addresses that are current. An open one is given no further request once its address is not,
    and is closed when it is idle; a request that is on it goes to its end. Nothing is ever sent twice. A context that
    reloads is used as it is now; connections under a former one end in the same way.
    """

    def __init__(self, context: ssl.SSLContext | Reloading[ssl.SSLContext], resolver: Resolver | None = None) -> None:
        self._context = context if isinstance(context, Reloading) else _unchanging(context)
        self._used = self._context.now()
        super().__init__(verify=self._used, trust_env=False)
        self._resolver = resolver or Resolver()
        self._resolver.on_answer = self._sweep
        self._lock = threading.Lock()
        self._pool = self._current = _Pool(self._used, self._resolver)
        self._former: list[_Pool] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request over a connection of the context as it is now."""
        if self._context.now() is not self._used:
            with self._lock:
                context = self._context.now()
                if context is not self._used:
                    self._used = context
                    self._current.ended = True
                    self._former.append(self._current)
                    self._pool = self._current = _Pool(context, self._resolver)
            self._sweep()
        return super().handle_request(request)

    def close(self) -> None:
        """Close all connections, and end asking for addresses."""
        self._resolver.close()
        for pool in (self._current, *self._former):
            pool.close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: types.TracebackType | None = None,
    ) -> None:
        """Close everything, as `close` does."""
        self.close()

    def _sweep(self) -> None:
        for pool in (self._current, *self._former):
            pool.sweep()
        with self._lock:
            self._former = [pool for pool in self._former if pool.connections]


class _Pool(httpcore2.ConnectionPool):
    """The connections under one TLS context; once `ended`, each is closed when it is idle."""

    def __init__(self, context: ssl.SSLContext, resolver: Resolver) -> None:
        self.ended = False
        super().__init__(
            ssl_context=context, keepalive_expiry=KEEP_ALIVE_SECONDS, network_backend=_Backend(self, resolver)
        )

    def sweep(self) -> None:
        """Close idle connections that may take no request; by itself the pool looks only when a request comes."""
        with self._optional_thread_lock:
            closing = self._assign_requests_to_connections()
        self._close_connections(closing)


class _Backend(httpcore2.SyncBackend):
    def __init__(self, pool: _Pool, resolver: Resolver) -> None:
        self._pool, self._resolver = pool, resolver

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first current address of the host that answers."""
        try:
            connected, address = connect(self._resolver.addresses(host), port, timeout, local_address)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"no address of {host} answers") from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for option in socket_options or ():
            connected.setsockopt(*option)
        return _Stream(_Lease(self._pool, self._resolver, host, address), _plain(connected))


class _Lease:
    """An open connection's right to its address and to its TLS context."""

    def __init__(self, pool: _Pool, resolver: Resolver, host: str, address: str) -> None:
        self._pool, self._resolver, self._host, self._address = pool, resolver, host, address
        self._held = True
        resolver.watch(host)

    @property
    def current(self) -> bool:
        return not self._pool.ended and self._resolver.usable(self._host, self._address)

    def end(self) -> None:
        if self._held:
            self._held = False
            self._resolver.unwatch(self._host)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, lease: _Lease, inner: httpcore2.NetworkStream) -> None:
        self._lease, self._inner = lease, inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._lease.end()
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            return _Stream(self._lease, self._inner.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            self._lease.end()
            raise

    def get_extra_info(self, info: str) -> Any:
        # The pool asks this of an idle connection, before it gives it a request or keeps it. One whose address is not
        # current is for it like one that the server has ended: it is closed, and another one is opened.
        if info == "is_readable" and not self._lease.current:
            return True
        return self._inner.get_extra_info(info)


def _unchanging(context: ssl.SSLContext) -> Reloading[ssl.SSLContext]:
    return Reloading((), lambda: context, lambda: context, lambda _: None)


def _plain(connected: socket.socket) -> httpcore2.NetworkStream:
    from httpcore2._backends.sync import SyncStream  # noqa: PLC0415 - the stream of SyncBackend has no public name

    return SyncStream(connected)
