"""The transport of the spoke's client: httpx2 and httpcore2 do HTTP, `line` decides about connections (R10)."""

import socket
import ssl
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import httpcore2
import httpx2

from bothways.spoke.connect import connect
from bothways.spoke.line import Line
from bothways.spoke.pooled import LIMITS, Judged, Opening, check, pooling
from bothways.spoke.tracing import client_span, is_wanted


class Transport(httpx2.HTTPTransport):
    """A transport of https over this line, that follows no proxy and sends nothing twice.

    New connections go to addresses that are current. An open one that is over takes no further request, and is closed
    when it is idle; a request that is on it goes to its end.
    """

    def __init__(self, line: Line, limits: httpx2.Limits = LIMITS, *, http1: bool = True, http2: bool = False) -> None:
        super().__init__(verify=line.context()[0], trust_env=False)
        self._line, self._version = line, line.look()
        self._pool = self._own = _Pool(line, **pooling(limits, http1=http1, http2=http2))
        line.on_answer = self._own.sweep

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request over a connection that may take it, or over a new one."""
        check(request)
        if (version := self._line.look()) != self._version:
            self._version = version
            self._line.sweep()
            self._own.sweep()
        if not is_wanted():
            return super().handle_request(request)
        with client_span(request) as answered:
            response = super().handle_request(request)
            answered(response.status_code)
        return response

    def close(self) -> None:
        """Close all connections, and end asking for addresses."""
        self._line.close()
        super().close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        """Close everything, as `close` does."""
        self._line.close()
        super().__exit__(exc_type, exc_value, traceback)


class _Pool(httpcore2.ConnectionPool):
    def __init__(self, line: Line, **options: Any) -> None:
        super().__init__(**options)
        self._line = line

    def create_connection(self, origin: httpcore2.Origin) -> httpcore2.ConnectionInterface:
        """Return a connection that will have a lease; its TLS is as the files are now."""
        context, version = self._line.context()
        opening = Opening(self._line, version)
        return _Connection(
            opening,
            origin,
            context,
            self._keepalive_expiry,
            self._http1,
            self._http2,
            network_backend=_Backend(opening),
        )

    def sweep(self) -> None:
        """Close idle connections that may take no request; by itself the pool looks only when a request comes."""
        with self._optional_thread_lock:
            closing = self._assign_requests_to_connections()
        self._close_connections(closing)


class _Connection(Judged, httpcore2.HTTPConnection):
    def __init__(self, opening: Opening, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.opening = opening


class _Backend(httpcore2.SyncBackend):
    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first current address of the host that answers, DNS included in the time-out."""
        with self._opening.step(host):
            try:
                addresses = self._opening.line.resolver.addresses(host, timeout)
                connected, address = connect(addresses, port, self._opening.left(timeout), local_address)
            except TimeoutError as error:
                raise httpcore2.ConnectTimeout(f"no address of {host} answers") from error
            except OSError as error:
                raise httpcore2.ConnectError(str(error)) from error
        for option in socket_options or ():
            connected.setsockopt(*option)
        self._opening.opened(host, address)
        return _Stream(self._opening, host, _plain(connected))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, opening: Opening, host: str, inner: httpcore2.NetworkStream) -> None:
        self._opening, self._host, self._inner = opening, host, inner
        self.read, self.write, self.get_extra_info = inner.read, inner.write, inner.get_extra_info  # type: ignore[method-assign]

    def close(self) -> None:
        self._opening.end()
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        with self._opening.step(self._host):
            inner = self._inner.start_tls(ssl_context, server_hostname, timeout)
        self._opening.connected(inner.get_extra_info("ssl_object"))
        return _Stream(self._opening, self._host, inner)


def _plain(connected: socket.socket) -> httpcore2.NetworkStream:
    from httpcore2._backends.sync import SyncStream  # noqa: PLC0415 - the stream of SyncBackend has no public name

    return SyncStream(connected)
