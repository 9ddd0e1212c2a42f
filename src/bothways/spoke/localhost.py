"""The transport of the spoke's HTTP client. Names under `localhost` are this machine (RFC 6761 section 6.3)."""

import ssl
from collections.abc import Iterable

import httpcore2
import httpx2

_KEEP_ALIVE = 5.0


class LocalhostBackend(httpcore2.SyncBackend):
    """Opens connections; a name under `localhost` needs no resolver, and must not reach one."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the host, or to 127.0.0.1 for names under `localhost`."""
        if host == "localhost" or host.endswith(".localhost"):
            host = "127.0.0.1"
        return super().connect_tcp(host, port, timeout, local_address, socket_options)


class LocalhostTransport(httpx2.HTTPTransport):
    """An HTTP/1.1 transport over this TLS context that resolves names as above, and follows no proxy."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=context, keepalive_expiry=_KEEP_ALIVE, network_backend=LocalhostBackend()
        )
