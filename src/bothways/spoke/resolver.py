"""Asking DNS, and keeping what `addresses` decides: for each name one answer, asked for by one thread at a time."""

import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import anyio.to_thread

from bothways.spoke.addresses import (
    TTL_MOST,
    Answer,
    Failed,
    Found,
    Missing,
    Name,
    asking,
    due,
    merged,
    told,
    usable,
)
from bothways.spoke.events import Event, answered

LIFETIME_SECONDS = 3.0
"""For one question with all its retries."""

_TRY_SECONDS = 1.0
_HOSTS_TTL = 5.0
_UNKNOWN = Name()
_LOG = logging.getLogger("bothways.spoke")


@dataclass(frozen=True, slots=True)
class Question:
    """How names are looked up: IP addresses and `localhost` are what they say, then the hosts file, then DNS.

    `servers` are IP addresses of resolvers, all at `port`; without them, those of `/etc/resolv.conf` are asked.
    """

    servers: tuple[str, ...] = ()
    port: int = 53
    hosts: Path = Path("/etc/hosts")

    def ask(self, host: str) -> Answer:
        """Return what is found for the host, or why nothing is. Raises nothing that DNS or a file can cause."""
        bare = host.rstrip(".").lower()
        if bare == "localhost" or bare.endswith(".localhost"):
            # Names under `localhost` are this machine, and must not reach a resolver (RFC 6761 section 6.3).
            return Found({"127.0.0.1": TTL_MOST})
        try:
            return Found({str(ipaddress.ip_address(host.strip("[]"))): TTL_MOST})
        except ValueError:
            pass
        if local := self.local(bare):
            return Found(dict.fromkeys(local, _HOSTS_TTL))
        with ThreadPoolExecutor(2) as pool:
            # Both at once (RFC 8305 section 3).
            return merged(*pool.map(lambda kind: self._from_dns(host, kind), ("AAAA", "A")))

    def local(self, host: str) -> list[str]:
        """Return the addresses that the hosts file has for the host, in lower case."""
        try:
            lines = self.hosts.read_text(errors="replace").splitlines()
        except OSError:
            return []
        rows = (line.partition("#")[0].split() for line in lines)
        return [
            row[0] for row in rows if len(row) > 1 and host in (each.lower() for each in row[1:]) and _is_ip(row[0])
        ]

    def _from_dns(self, host: str, kind: str) -> Answer:
        # Imported here, for who calls a hub at `localhost` does not need it, and it takes its time.
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        try:
            resolver = dns.resolver.Resolver(configure=not self.servers)
            if self.servers:
                resolver.nameservers, resolver.port = list(self.servers), self.port
            resolver.timeout = _TRY_SECONDS
            found = resolver.resolve(
                host, kind, lifetime=LIFETIME_SECONDS, raise_on_no_answer=False, search="." not in host
            )
        except dns.resolver.NXDOMAIN as error:
            said = error.responses()  # type: ignore[no-untyped-call]
            ttls = [each.resolve_chaining().minimum_ttl for each in said.values()]
            return Missing(float(min(ttls, default=0)))
        # A name that cannot be encoded is a UnicodeError, a resolver that cannot be reached an OSError.
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            return Failed(" ".join(str(error).split()) or type(error).__name__)
        ttl = float(found.chaining_result.minimum_ttl)
        # The TTL is the least of the chain of CNAMEs and the addresses already.
        if not found.rrset:
            return Missing(ttl)
        aliases = tuple(str(each[0].target).rstrip(".") for each in found.chaining_result.cnames)
        return Found({each.address: ttl for each in found.rrset}, aliases=aliases)


@dataclass(eq=False)
class Resolver:
    """The addresses of names, for many threads.

    Names that are watched (because connections to them are open) are asked for again in the background whenever their
    answer runs out. After each answer `tell` is given what it means, and `on_answer` is called, both in a thread of the
    resolver. `close` ends the asking in the background.
    """

    question: Callable[[str], Answer] = field(default_factory=lambda: Question().ask)
    clock: Callable[[], float] = time.monotonic
    on_answer: Callable[[], None] = lambda: None
    tell: Callable[[Event], None] = lambda _: None

    def __post_init__(self) -> None:
        """Start with nothing known."""
        self._names: dict[str, Name] = {}
        self._watched: dict[str, int] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def addresses(self, host: str, timeout: float | None = None) -> tuple[str, ...]:
        """Return the addresses that may be connected to now, and ask if need be.

        Raises `OSError` if there are none, `TimeoutError` if DNS has not answered within so many seconds.
        """
        end = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while True:
                now = self.clock()
                name = self._names.get(host, _UNKNOWN)
                if due(name, now):
                    self._names[host] = name = asking(name, now)
                    threading.Thread(target=self._ask, args=(host,), name="bothways-question", daemon=True).start()
                # When DNS is failing, nobody waits for it as long as the last answer may serve.
                if found := usable(name, now):
                    return found
                if name.asked_at is None:
                    raise OSError(f"{host} has no address: {name.reason}")
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError(f"DNS has not answered for {host} within {timeout} s")
                self._changed.wait(left)

    async def addresses_async(self, host: str, timeout: float | None = None) -> tuple[str, ...]:  # noqa: ASYNC109 - as above
        """As `addresses`, in an event loop."""
        name, now = self.known(host), self.clock()
        if not due(name, now) and (found := usable(name, now)):
            return found
        return await anyio.to_thread.run_sync(self.addresses, host, timeout, abandon_on_cancel=True)

    def known(self, host: str) -> Name:
        """Return what is known of the host now. Asks nobody."""
        # One read of a value that never changes: no lock.
        return self._names.get(host, _UNKNOWN)

    def watch(self, host: str) -> None:
        """Keep the host's answer fresh; once for each open connection."""
        with self._changed:
            self._watched[host] = self._watched.get(host, 0) + 1
            # A thread does not survive a fork.
            if not (self._closed or (self._thread and self._thread.is_alive())):
                self._thread = threading.Thread(target=self._run, name="bothways-dns", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def unwatch(self, host: str) -> None:
        """Take back one `watch`."""
        with self._changed:
            self._watched[host] -= 1
            if not self._watched[host]:
                del self._watched[host]

    def close(self) -> None:
        """End the background thread. Does not wait for a question that is under way."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _ask(self, host: str) -> None:
        try:
            answer = self.question(host)
        except Exception as error:  # noqa: BLE001 - it can be somebody else's code
            # Whatever happens, no question stays under way: others wait for its end.
            _LOG.exception("asking for %s", host)
            answer = Failed(f"{type(error).__name__}: {error}")
        with self._changed:
            now, before = self.clock(), self._names[host]
            after = self._names[host] = told(before, answer, now)
            self._changed.notify_all()
        self.tell(answered(host, before, answer, after, now))
        self.on_answer()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = self.clock()
                names = {host: self._names.get(host, _UNKNOWN) for host in self._watched}
                host = next((host for host, name in names.items() if due(name, now)), None)
                if host is None:
                    waits = [name.again_at - now for name in names.values() if name.asked_at is None]
                    self._changed.wait(min(waits, default=None))
                    continue
                self._names[host] = asking(names[host], now)
            self._ask(host)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
