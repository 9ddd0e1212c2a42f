"""The hub for programs that call with `requests`: an adapter and a session on the spoke's line (R1, R10).

Needs the extra `requests`; nothing else of the spoke imports this module.
"""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from bothways.spoke.client import TIMEOUT
from bothways.spoke.connect import connect
from bothways.spoke.directory import Spoke
from bothways.spoke.events import Event
from bothways.spoke.line import CONNECTIONS_MOST, KEEP_ALIVE_SECONDS, Ask, Line
from bothways.spoke.pooled import Opening
from bothways.spoke.spoke_line import SpokeLine


class Session(requests.Session):
    """A `requests` session to the hub: `Session("bank").get("/tokens")`. As `Client` in all else.

    A path is one at the hub's endpoint. It follows no environment variables, and speaks https alone.
    """

    def __init__(
        self,
        directory: str | Path | Spoke,
        *,
        on_event: Callable[[Event], None] | None = None,
        ask: Ask | None = None,
    ) -> None:
        super().__init__()
        adapter = Adapter(directory, on_event=on_event, ask=ask)
        self.endpoint, self.metrics = adapter.endpoint, adapter.metrics
        self.trust_env = False
        self.adapters.clear()
        self.mount("https://", adapter)

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """As `requests` does it; a path is one at the hub's endpoint."""
        if isinstance(request.url, str) and request.url.startswith("/"):
            request.url = self.endpoint + request.url
        return super().prepare_request(request)


class Adapter(HTTPAdapter):
    """For a session of one's own: `session.mount(adapter.endpoint, adapter)`.

    Whom it trusts and what it shows is what the spoke directory says: it refuses `verify=False`, `cert` and proxies,
    and takes no bundle of CAs. Nothing is sent twice. Without a time-out, each step of a call has 30 s.
    """

    def __init__(
        self,
        directory: str | Path | Spoke,
        *,
        on_event: Callable[[Event], None] | None = None,
        ask: Ask | None = None,
    ) -> None:
        self._line = SpokeLine(directory, on_event, ask)
        self._version = self._line.look()
        self.endpoint, self.metrics = self._line.endpoint, self._line.metrics
        super().__init__(pool_maxsize=CONNECTIONS_MOST)
        self._line.on_answer = self._sweep

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: FBT001, FBT002 - as requests has it
        """Make the pools, of connections that have a lease."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **options)
        self.poolmanager.pool_classes_by_scheme = {"https": partial(_Pool, self._line)}  # type: ignore[dict-item]

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - as requests has it
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - as above
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send the request over a connection that may take it, or over a new one."""
        if not str(request.url).startswith("https://"):
            raise requests.exceptions.InvalidSchema(
                f"{request.url} has no TLS, and both sides have to be authenticated. Use https://"
            )
        if not verify or cert or proxies:
            raise ValueError(
                "the spoke's contract says whom to trust, and its directory has the certificate: "
                "leave out verify=False, cert and proxies"
            )
        if (version := self._line.look()) != self._version:
            self._version = version
            self._line.sweep()
            self._sweep()
        return super().send(request, stream, TIMEOUT if timeout is None else timeout, verify=True)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: `requests` would have its public CAs loaded into our TLS context."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return where to connect to, and nothing of TLS: each connection takes its context from the line."""
        return super().build_connection_pool_key_attributes(request, verify, cert)[0], {}

    def close(self) -> None:
        """Close all connections, and end asking for addresses."""
        self._line.close()
        super().close()

    def _sweep(self) -> None:
        pools = self.poolmanager.pools
        for key in pools.keys():  # noqa: SIM118 - it is no dictionary, and its iterator is not for threads
            if isinstance(pool := pools.get(key), _Pool):
                pool.sweep()


class _Pool(HTTPSConnectionPool):
    def __init__(self, line: Line, *arguments: Any, **options: Any) -> None:
        self.ConnectionCls = partial(_Connection, line)  # type: ignore[assignment]
        super().__init__(*arguments, **options)

    def sweep(self) -> None:
        """Close idle connections that may take no request; by itself the pool looks only when a request comes."""
        if (idle := self.pool) is None:
            return
        closing = []
        with idle.mutex:
            for place, connection in enumerate(idle.queue):
                if isinstance(connection, _Connection) and connection.over:
                    closing.append(connection)
                    idle.queue[place] = None
        for connection in closing:
            connection.close()

    def _put_conn(self, conn: Any) -> None:
        if isinstance(conn, _Connection):
            conn.idle_since = time.monotonic()
            if conn.over:
                conn.close()
        super()._put_conn(conn)


class _Connection(HTTPSConnection):
    def __init__(self, line: Line, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._line, self._opening = line, Opening(line, 0)
        self.idle_since = float("inf")

    @property
    def over(self) -> bool:
        """Tell whether the connection may take no further request; asked when it is idle."""
        return self._opening.over or time.monotonic() >= self.idle_since + KEEP_ALIVE_SECONDS

    @property
    def is_connected(self) -> bool:
        """As urllib3 asks it before it gives an idle connection a request."""
        return not self.over and super().is_connected

    def connect(self) -> None:
        self.ssl_context, version = self._line.context()
        self._opening = Opening(self._line, version)
        self.idle_since = float("inf")
        with self._opening.step(self.host):
            super().connect()
        assert isinstance(self.sock, ssl.SSLSocket)  # noqa: S101 - as urllib3 leaves it
        self._opening.connected(self.sock)

    def close(self) -> None:
        self._opening.end()
        super().close()

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, float | int) else None
        try:
            addresses = self._line.resolver.addresses(self.host, timeout)
            connected, address = connect(addresses, self.port, self._opening.left(timeout))
        except TimeoutError as error:
            raise ConnectTimeoutError(self, f"no address of {self.host} answers within {timeout} s") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        self._opening.opened(self.host, address)
        return connected
