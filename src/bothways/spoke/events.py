"""What the client tells of: addresses, connections and files, as values that read as sentences. Pure: no I/O."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from bothways.spoke.addresses import Answer, Failed, Missing, Name, usable
from bothways.spoke.lease import Reason

Severity = Literal["debug", "info", "warning"]


@dataclass(frozen=True, slots=True)
class AddressesFound:
    """DNS answered with addresses, the least TTL of which is `ttl` seconds; `changed` if they were others before."""

    host: str
    addresses: tuple[str, ...]
    ttl: float
    changed: bool

    @property
    def severity(self) -> Severity:
        """Only a change is news: the same again comes with each TTL."""
        return "info" if self.changed else "debug"

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.host} is at {', '.join(self.addresses)} for {self.ttl:.0f} s" + (
            ", which is new" if self.changed else ""
        )


@dataclass(frozen=True, slots=True)
class NameMissing:
    """The name does not exist, or has no address: calls fail until it has one."""

    severity: ClassVar[Severity] = "warning"
    host: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"{self.host} does not exist, or has no address"


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """DNS did not answer, or failed, for the n-th time in a row; `stale` are the addresses that serve meanwhile."""

    severity: ClassVar[Severity] = "warning"
    host: str
    reason: str
    failures: int
    stale: tuple[str, ...]

    def __str__(self) -> str:
        """Return it as a sentence."""
        meanwhile = f"{', '.join(self.stale)} serves meanwhile" if self.stale else "no address is known"
        return f"DNS fails for {self.host} ({self.failures} in a row): {self.reason}; {meanwhile}"


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection stands, TLS included, after so many seconds, the question to DNS among them."""

    severity: ClassVar[Severity] = "debug"
    host: str
    address: str
    tls_version: str
    seconds: float

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"connected to {self.host} at {self.address} over {self.tls_version} after {1000 * self.seconds:.0f} ms"


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """No connection could be made: no address, none that answers, or TLS was refused."""

    severity: ClassVar[Severity] = "warning"
    host: str
    reason: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"cannot connect to {self.host}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Retired:
    """An open connection takes no further request, and is closed once it is idle."""

    severity: ClassVar[Severity] = "info"
    host: str
    address: str
    reason: Reason

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"the connection to {self.host} at {self.address} is retired: {self.reason}"


@dataclass(frozen=True, slots=True)
class Closed:
    """A connection has ended, after so many seconds."""

    severity: ClassVar[Severity] = "debug"
    host: str
    address: str
    seconds: float

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"the connection to {self.host} at {self.address} has ended after {self.seconds:.0f} s"


@dataclass(frozen=True, slots=True)
class FilesUsed:
    """Files have changed and are in use."""

    severity: ClassVar[Severity] = "info"

    def __str__(self) -> str:
        """Return it as a sentence."""
        return "files have changed and are in use"


@dataclass(frozen=True, slots=True)
class FilesRefused:
    """Files have changed and cannot be used, so it goes on as before."""

    severity: ClassVar[Severity] = "warning"
    reason: str

    def __str__(self) -> str:
        """Return it as a sentence."""
        return f"files have changed and cannot be used, so it goes on as before: {self.reason}"


Event = (
    AddressesFound
    | NameMissing
    | LookupFailed
    | Connected
    | ConnectFailed
    | Retired
    | Closed
    | FilesUsed
    | FilesRefused
)


def answered(host: str, before: Name, answer: Answer, after: Name, now: float) -> Event:
    """Return what an answer of DNS means: what was known before it, and what is known after it."""
    if isinstance(answer, Failed):
        return LookupFailed(host, answer.reason, after.failures, usable(after, now))
    if isinstance(answer, Missing) or after.missing:
        return NameMissing(host)
    changed = bool(before.until) and set(before.until) != set(after.until)
    return AddressesFound(host, tuple(after.until), after.again_at - now, changed)
