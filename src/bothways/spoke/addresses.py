"""DNS by the book (R10): which addresses of a name may be used now, and when DNS has to be asked again. Pure: no I/O.

The law: an address is connected to for as long as the TTL that came with it says, and not longer. There are three
exceptions, each with its bound: an open connection may be used for `GRACE_SECONDS` more, so that steady load does not
stop while DNS is asked; when DNS fails, the last answer holds for `STALE_SECONDS` more; and a TTL below `TTL_LEAST`
counts as that. A name that does not exist has no address, at once. An open connection is retired, and drained, when its
address may not be used.

All times are seconds on one clock that never goes back (`time.monotonic`); the caller gives them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

GRACE_SECONDS = 1.0
STALE_SECONDS = 300.0
TTL_LEAST, TTL_MOST = 1.0, 3600.0
MISSING_MOST = 30.0
RETRY_FIRST, RETRY_MOST = 1.0, 30.0

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Found:
    """DNS gave addresses, in its order of preference, each with its TTL; `chain` are the TTLs of CNAMEs on the way.

    `aliases` are the names on the way, for people: where the CNAMEs led.
    """

    ttls: Mapping[str, float]
    chain: tuple[float, ...] = ()
    aliases: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Missing:
    """The name does not exist, or has no address (NXDOMAIN, no data); `ttl` is how long that holds (RFC 2308)."""

    ttl: float


@dataclass(frozen=True, slots=True)
class Failed:
    """DNS did not answer, or failed (SERVFAIL); `reason` is for people."""

    reason: str


Answer = Found | Missing | Failed


@dataclass(frozen=True, slots=True)
class Name:
    """What is known of one name: each address with the time until which it holds, and when to ask again.

    `asked_at` is when the question under way was asked; `failures` counts failed questions since the last answer;
    `missing` tells that the name is known not to exist; `reason` says why there is nothing, for people.
    """

    until: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    again_at: float = _NEVER
    asked_at: float | None = None
    failures: int = 0
    missing: bool = False
    reason: str = ""


def merged(first: Answer, second: Answer) -> Answer:
    """Return one answer from those to two questions about a name, for IPv4 and for IPv6.

    What was found counts, even if the other question failed; but nothing counts as missing if one of them failed.
    """
    if isinstance(first, Found) and isinstance(second, Found):
        # Each keeps the CNAMEs that led to it: the shorter of the two for all is never too long.
        aliases = tuple(dict.fromkeys((*first.aliases, *second.aliases)))
        return Found({**first.ttls, **second.ttls}, (*first.chain, *second.chain), aliases)
    for kind in (Found, Failed):
        for each in (first, second):
            if isinstance(each, kind):
                return each
    return Missing(min(each.ttl for each in (first, second) if isinstance(each, Missing)))


def asking(name: Name, now: float) -> Name:
    """Return what is known once a question was sent."""
    return replace(name, asked_at=now)


def told(name: Name, answer: Answer, now: float) -> Name:
    """Return what is known after the answer to a question. TTLs count from `now`, when it came."""
    if isinstance(answer, Found) and answer.ttls:
        chain = min(answer.chain, default=TTL_MOST)
        until = {each: now + _between(TTL_LEAST, min(ttl, chain), TTL_MOST) for each, ttl in answer.ttls.items()}
        return Name(MappingProxyType(until), min(until.values()))
    if isinstance(answer, Failed):
        failures = name.failures + 1
        # Once the delay is the longest, the exponent need not grow.
        delay = min(RETRY_MOST, RETRY_FIRST * 2.0 ** min(failures - 1, 10))
        return replace(name, again_at=now + delay, asked_at=None, failures=failures, reason=answer.reason)
    ttl = answer.ttl if isinstance(answer, Missing) else 0.0
    again_at = now + _between(TTL_LEAST, ttl, MISSING_MOST)
    return Name(again_at=again_at, missing=True, reason="the name does not exist, or has no address")


def usable(name: Name, now: float) -> tuple[str, ...]:
    """Return the addresses that may be connected to now."""
    more = STALE_SECONDS if name.failures else 0.0
    return tuple(address for address, until in name.until.items() if now < until + more)


def due(name: Name, now: float) -> bool:
    """Tell whether DNS is to be asked now: the answer has run out, and no question is under way."""
    return name.asked_at is None and now >= name.again_at


def serves_until(name: Name, address: str) -> float:
    """Return from when on an open connection to the address must take no request, and close when it is idle."""
    until = name.until.get(address, _NEVER)
    return until + (STALE_SECONDS if name.failures else GRACE_SECONDS)


def _between(least: float, value: float, most: float) -> float:
    return max(least, min(value, most))
