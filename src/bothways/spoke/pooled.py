"""What the two transports of httpx2 share: what they refuse, and connections of httpcore2's pools that have a lease."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from bothways.spoke.line import CONNECTIONS_MOST, KEEP_ALIVE_SECONDS, Held, Line, Tlsed

LIMITS = httpx2.Limits(
    max_connections=CONNECTIONS_MOST,
    max_keepalive_connections=CONNECTIONS_MOST,
    keepalive_expiry=KEEP_ALIVE_SECONDS,
)
"""Of one client, unless it is given others."""


def check(request: httpx2.Request) -> None:
    """Raise `httpx2.UnsupportedProtocol` if the request would go without TLS (R1)."""
    if request.url.scheme not in {"https", "wss"}:
        raise httpx2.UnsupportedProtocol(
            f"{request.url.scheme}:// has no TLS, and both sides have to be authenticated. Use https://"
        )


def pooling(limits: httpx2.Limits, *, http1: bool, http2: bool) -> dict[str, Any]:
    """Return the options of httpcore2's pool."""
    return {
        "max_connections": limits.max_connections,
        "max_keepalive_connections": limits.max_keepalive_connections,
        "keepalive_expiry": limits.keepalive_expiry,
        "http1": http1,
        "http2": http2,
    }


class Opening:
    """What opens one connection under one version of the files, and its lease once TCP stands."""

    def __init__(self, line: Line, version: int) -> None:
        self.line, self._version = line, version
        self._started = 0.0
        self.held: Held | None = None

    @property
    def over(self) -> bool:
        """Tell whether the connection may take no further request."""
        return self.held is not None and self.held.reason is not None

    @contextmanager
    def step(self, host: str) -> Iterator[None]:
        """Do one step of opening a connection; if it fails, that is told and the lease ends."""
        self._started = self._started or time.monotonic()
        try:
            with self.line.opening(host):
                yield
        except BaseException:
            self.end()
            raise

    def left(self, timeout: float | None) -> float | None:
        """Return how many seconds of the time-out are left, at least 0."""
        return None if timeout is None else max(0.0, self._started + timeout - time.monotonic())

    def opened(self, host: str, address: str) -> None:
        """Take note that TCP stands."""
        self.held = self.line.opened(host, address, self._version)

    def connected(self, tls: Tlsed) -> None:
        """Take note that TLS stands."""
        if self.held:
            self.held.connected(tls, time.monotonic() - self._started)

    def end(self) -> None:
        """Take note that the connection has ended."""
        if self.held:
            self.held.end()


class Judged:
    """Mixed into httpcore2's connections: one that is over takes no further request, and has expired when idle."""

    opening: Opening

    def is_available(self) -> bool:
        """Tell whether a request may be given to the connection."""
        # As `Opening.over`, without its frame: the pool asks four times for each request.
        held = self.opening.held
        return (held is None or held.reason is None) and super().is_available()  # type: ignore[misc]

    def has_expired(self) -> bool:
        """Tell whether the pool may close the connection; one that is in use has not expired."""
        held = self.opening.held
        over = held is not None and held.reason is not None
        return super().has_expired() or (over and super().is_idle())  # type: ignore[misc]
