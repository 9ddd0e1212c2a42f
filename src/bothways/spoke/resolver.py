"""Asking DNS, and keeping what `addresses` decides: for each name one answer, asked for by one thread at a time."""

import ipaddress
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

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
    retired,
    told,
    usable,
)

LIFETIME_SECONDS = 3.0
"""For one question with all its retries."""

_TRY_SECONDS = 1.0
_HOSTS_TTL = 5.0


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
    answer runs out; `on_answer` is called after each answer. `close` ends that.
    """

    question: Callable[[str], Answer] = field(default_factory=lambda: Question().ask)
    clock: Callable[[], float] = time.monotonic
    on_answer: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        """Start with nothing known."""
        self._names: dict[str, Name] = {}
        self._watched: dict[str, int] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses that may be connected to now, and ask if need be. Raises `OSError` if there are none."""
        with self._changed:
            while True:
                now = self.clock()
                name = self._names.get(host, Name())
                found = usable(name, now)
                if due(name, now):
                    self._names[host] = asking(name, now)
                    if found and name.failures:
                        # DNS is failing: nobody waits for it as long as the last answer may serve.
                        threading.Thread(target=self._ask, args=(host,), daemon=True).start()
                        return found
                    break
                if found or name.asked_at is None:
                    return _some(host, name, found)
                self._changed.wait()
        self._ask(host)
        with self._changed:
            name = self._names[host]
            return _some(host, name, usable(name, self.clock()))

    def usable(self, host: str, address: str) -> bool:
        """Tell whether an open connection to this address of the host may take a request. Asks nobody."""
        # One read of a value that never changes: no lock.
        name = self._names.get(host)
        return name is not None and not retired(name, address, self.clock())

    def watch(self, host: str) -> None:
        """Keep the host's answer fresh; once for each open connection."""
        with self._changed:
            self._watched[host] = self._watched.get(host, 0) + 1
            if self._thread is None and not self._closed:
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
        answer: Answer = Failed("the question was not asked")
        try:
            answer = self.question(host)
        finally:
            # Whatever happens, no question stays under way: others wait for its end.
            with self._changed:
                self._names[host] = told(self._names[host], answer, self.clock())
                self._changed.notify_all()
        self.on_answer()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = self.clock()
                names = {host: self._names.get(host, Name()) for host in self._watched}
                host = next((host for host, name in names.items() if due(name, now)), None)
                if host is None:
                    waits = [name.again_at - now for name in names.values() if name.asked_at is None]
                    self._changed.wait(min(waits, default=None))
                    continue
                self._names[host] = asking(names[host], now)
            self._ask(host)


def _some(host: str, name: Name, found: tuple[str, ...]) -> tuple[str, ...]:
    if not found:
        raise OSError(f"{host} has no address: {name.reason}")
    return found


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
