"""What all connections of one client share: addresses, TLS context, leases, and who is told of what happens.

Here are the decisions of `addresses` and `lease` applied to open connections. The transports (httpx2, requests,
aiohttp) do the I/O, and ask here: what to connect to, with which context, and whether a connection may take a request.
"""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bothways.spoke.addresses import Answer
from bothways.spoke.events import Closed, Connected, ConnectFailed, Event, Retired
from bothways.spoke.lease import Lease, Reason, end
from bothways.spoke.metrics import Metrics
from bothways.spoke.reload import Reloading
from bothways.spoke.resolver import Question, Resolver

KEEP_ALIVE_SECONDS = 60.0
"""For which an idle connection is kept; less than the 300 s after which the hub's Envoy ends it."""

LOOK_SECONDS = 0.1
"""Between two looks at the files, whatever the load; a new connection looks in any case."""

CONNECTIONS_MOST = 100
"""Connections of one client at once, and of these idle."""

Ask = Callable[[str], Answer]
"""How DNS is asked for a name: `Question(...).ask` of `resolver`, or a function of one's own."""

_LOG = logging.getLogger("bothways.spoke")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


class Tlsed(Protocol):
    """What TLS agreed on: an `ssl.SSLSocket` or an `ssl.SSLObject`."""

    def version(self) -> str | None:
        """Return the version of TLS."""


class Held:
    """One open connection and its lease. `reason` tells why it is over, if it is; `end` is called when it has ended."""

    def __init__(self, line: "Line", lease: Lease) -> None:
        self._line, self.lease, self._clock = line, lease, line.resolver.clock
        self._state, self._until = object(), float("-inf")
        self._retired: Reason | None = None
        self.stands = self.told = False

    @property
    def reason(self) -> Reason | None:
        """Return why the connection may take no further request, or nothing."""
        # Asked several times for each request, so what follows from what is known is worked out once.
        if self._line.state is self._state and self._clock() < self._until:
            return None
        if self._retired is None:
            # The state first, and last: another thread meets what is newer, or works it out itself.
            state = self._line.state
            self._until, reason = self._line.end(self.lease)
            self._state = state
            if self._clock() >= self._until:
                self._retired, self._state = reason, object()
        return self._retired

    def connected(self, tls: Tlsed, seconds: float) -> None:
        """Take note that TLS stands, so many seconds after the connection was asked for."""
        self.stands = True
        self._line.tell(Connected(self.lease.host, self.lease.address, tls.version() or "TLS", seconds))

    def end(self) -> None:
        """Take note that the connection has ended. More than once does nothing."""
        self._line.ended(self)


class Line:
    """The way of one client to its hub, for many threads.

    `context` makes the TLS context, and `again` another one when a file at `paths` has changed. `ask` asks DNS.
    `on_event` is told of all that happens, by whichever thread it happens in; it must be quick, and must not call the
    client.
    `on_answer` is called by another thread when idle connections may have become to be closed. `state` is another
    object whenever addresses or files have changed.
    """

    def __init__(
        self,
        context: Callable[[], ssl.SSLContext],
        again: Callable[[], ssl.SSLContext] | None = None,
        paths: Sequence[Path] = (),
        *,
        ask: Ask | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self.on_answer: Callable[[], None] = lambda: None
        self._on_event = on_event
        self.state = object()
        self._look_at = float("-inf")
        self._files = Reloading(paths, context, again or context, self.tell)
        self.resolver = Resolver(ask or Question().ask, tell=self.tell)
        self._held: set[Held] = set()
        self._lock = threading.Lock()
        self.resolver.on_answer = self._answered

    def tell(self, event: Event) -> None:
        """Log the event, count it, and hand it on. What an observer raises is logged, and stops no call."""
        _LOG.log(_LEVELS[event.severity], "%s", event)
        self.metrics.count(event)
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001 - it is somebody else's code
            _LOG.exception("on_event failed at: %s", event)

    def look(self) -> int:
        """Return the version of the files, looked at now or a moment ago; it changes when changed files are in use."""
        if (now := time.monotonic()) >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._files.now()
        return self._files.version

    def context(self) -> tuple[ssl.SSLContext, int]:
        """Return the TLS context for a new connection, and the version of the files that it was made of."""
        return self._files.latest()

    @contextmanager
    def opening(self, host: str) -> Iterator[None]:
        """Tell of what keeps a connection from being made."""
        try:
            yield
        except Exception as error:
            self.tell(ConnectFailed(host, str(error) or type(error).__name__))
            raise

    def opened(self, host: str, address: str, version: int) -> Held:
        """Return the lease of a connection that was opened just now to this address."""
        held = Held(self, Lease(host, address, self.resolver.clock(), version))
        with self._lock:
            self._held.add(held)
        self.resolver.watch(host)
        return held

    def end(self, lease: Lease) -> tuple[float, Reason]:
        """Return from when on a connection is over, and why, by what is known now."""
        return end(lease, self.resolver.known(lease.host), self._files.version)

    def sweep(self) -> None:
        """Judge all connections anew, after something has changed; tell of each that is over since the last time."""
        self.state = object()
        with self._lock:
            fresh = [(held, reason) for held in self._held if not held.told and (reason := held.reason)]
            for held, _ in fresh:
                held.told = True
        for held, reason in fresh:
            self.tell(Retired(held.lease.host, held.lease.address, reason))

    def ended(self, held: Held) -> None:
        """Take note that a connection has ended."""
        with self._lock:
            if held not in self._held:
                return
            self._held.remove(held)
        self.resolver.unwatch(held.lease.host)
        if held.stands:
            self.tell(Closed(held.lease.host, held.lease.address, self.resolver.clock() - held.lease.since))

    def close(self) -> None:
        """End asking for addresses in the background."""
        self.resolver.close()

    def _answered(self) -> None:
        self.sweep()
        self.on_answer()
