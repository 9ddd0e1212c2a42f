"""What Envoy's counters say of a sidecar, in sentences of bounded length. Pure: counters in, sentences out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bothways.spoke.sidecar import CALLBACKS, HUB

FILTER = rf"^(listener\.{CALLBACKS}\.ssl\.|cluster\.{HUB}\.(ssl\.|update_|membership_total|upstream_cx_connect_fail))"
"""Of Envoy's counters, those that are looked at: a regular expression for its admin interface."""

_REFUSED = {
    "fail_verify_no_cert": "they showed no client certificate",
    "fail_verify_error": "their certificate is not of a Client CA of the contract, or not for clients, or has ended",
    "fail_verify_san": "their certificate does not name the hub of the contract",
}
_NOT_THE_HUB = {
    "fail_verify_error": "its certificate is not of a CA of the contract, or has ended",
    "fail_verify_san": "its certificate does not name the endpoint's host",
}


@dataclass(frozen=True, slots=True)
class Staleness:
    """Since when DNS fails for the hub's name, if it does: its last answer holds for `bound` seconds more (R10).

    Envoy asks again as soon as an answer's TTL is over, so the first failure is about the end of the TTL.
    """

    bound: float
    since: float | None = None

    def seen(self, before: Mapping[str, int], after: Mapping[str, int], now: float) -> "Staleness":
        """Return what is so after two looks at the counters; `now` in seconds of a clock that never goes back."""

        def more(name: str) -> bool:
            return after.get(f"cluster.{HUB}.{name}", 0) > before.get(f"cluster.{HUB}.{name}", 0)

        if more("update_success"):
            return replace(self, since=None)
        if more("update_failure") and self.since is None:
            return replace(self, since=now)
        return self

    def over(self, now: float) -> bool:
        """Tell whether the last answer holds no more."""
        return self.since is not None and now - self.since >= self.bound


def counters(text: str) -> dict[str, int]:
    """Return Envoy's counters from the text of its admin interface, those that are numbers."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(": ")
        if value.isdecimal():
            found[name] = int(value)
    return found


def news(before: Mapping[str, int], after: Mapping[str, int], host: str) -> Iterator[str]:
    """Yield what happened between two looks; `host` is the hub's."""

    def more(name: str) -> int:
        return after.get(name, 0) - before.get(name, 0)

    for counter, meant in _REFUSED.items():
        if refused := more(f"listener.{CALLBACKS}.ssl.{counter}"):
            yield f"{refused} callers were refused: {meant}"
    for counter, meant in _NOT_THE_HUB.items():
        if refused := more(f"cluster.{HUB}.ssl.{counter}"):
            yield f"{refused} connections to {host} were given up: {meant}"
    total = f"cluster.{HUB}.membership_total"
    if not after.get(total) and (before.get(total) or more(f"cluster.{HUB}.update_attempt")):
        yield f"{host} has no address, as DNS says: calls to the hub are answered with 503"
    elif not before.get(total) and after.get(total):
        yield f"{host} has {after[total]} addresses"
    if failed := more(f"cluster.{HUB}.update_failure"):
        yield f"DNS did not answer for {host}, {failed} times; the addresses that it had serve meanwhile"
    if failed := more(f"cluster.{HUB}.upstream_cx_connect_fail"):
        yield f"{failed} connections to {host} could not be opened"
