"""Counters of what the client did, made of its events, as numbers and as Prometheus text."""

import threading
from collections import defaultdict
from datetime import datetime

from bothways.spoke.events import (
    AddressesFound,
    Closed,
    Connected,
    ConnectFailed,
    Event,
    FilesRefused,
    FilesUsed,
    LookupFailed,
    NameMissing,
    Retired,
)

KINDS = {
    "bothways_spoke_dns_answers_total": ("counter", "Answers of DNS, by outcome: found, missing or failed."),
    "bothways_spoke_address_changes_total": ("counter", "Answers of DNS with other addresses than before."),
    "bothways_spoke_dns_ttl_seconds": ("gauge", "TTL of the last answer, the least of its chain."),
    "bothways_spoke_connections_opened_total": ("counter", "Connections that were made, TLS included."),
    "bothways_spoke_connect_seconds_total": ("counter", "Seconds that making them took, DNS included."),
    "bothways_spoke_connections_failed_total": ("counter", "Connections that could not be made."),
    "bothways_spoke_connections_retired_total": ("counter", "Connections retired, by reason: address, files or age."),
    "bothways_spoke_connections_open": ("gauge", "Connections that are open now."),
    "bothways_spoke_reloads_total": ("counter", "Changes of files, by outcome: used or refused."),
    "bothways_spoke_certificate_expiration_timestamp_seconds": ("gauge", "When the certificate in use ends."),
}
"""Kind and meaning of each metric, by its name."""

_Key = tuple[str, tuple[tuple[str, str], ...]]


class Metrics:
    """Numbers by name and labels, for many threads; the names and their meaning are in `docs/client.md`."""

    def __init__(self) -> None:
        self._numbers: defaultdict[_Key, float] = defaultdict(float)
        self._lock = threading.Lock()

    def count(self, event: Event) -> None:
        """Count an event."""
        with self._lock:
            match event:
                case AddressesFound(host, _, ttl, changed):
                    self._add("dns_answers_total", host=host, outcome="found")
                    self._add("address_changes_total", int(changed), host=host)
                    self._numbers[_key("dns_ttl_seconds", host=host)] = ttl
                case NameMissing(host):
                    self._add("dns_answers_total", host=host, outcome="missing")
                case LookupFailed(host):
                    self._add("dns_answers_total", host=host, outcome="failed")
                case Connected(host, _, _, seconds):
                    self._add("connections_opened_total", host=host)
                    self._add("connect_seconds_total", seconds, host=host)
                    self._add("connections_open", host=host)
                case ConnectFailed(host):
                    self._add("connections_failed_total", host=host)
                case Retired(host, _, reason):
                    self._add("connections_retired_total", host=host, reason=reason.name.lower())
                case Closed(host):
                    self._add("connections_open", -1, host=host)
                case FilesUsed():
                    self._add("reloads_total", outcome="used")
                case FilesRefused():
                    self._add("reloads_total", outcome="refused")

    def certificate_ends(self, when: datetime) -> None:
        """Take note of the end of the certificate in use."""
        with self._lock:
            self._numbers[_key("certificate_expiration_timestamp_seconds")] = when.timestamp()

    def value(self, name: str, **labels: str) -> float:
        """Return a number, by its full name and all its labels; 0 if nothing was counted."""
        return self._numbers.get((name, tuple(sorted(labels.items()))), 0)

    def text(self) -> str:
        """Return all numbers in Prometheus' text format (version 0.0.4)."""
        with self._lock:
            numbers = sorted(self._numbers.items())
        lines = []
        for name, (kind, meaning) in KINDS.items():
            rows = [(labels, value) for (each, labels), value in numbers if each == name]
            if rows:
                lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
                lines += [f"{name}{_shown(labels)} {value:.15g}" for labels, value in rows]
        return "".join(f"{line}\n" for line in lines)

    def _add(self, name: str, more: float = 1, **labels: str) -> None:
        self._numbers[_key(name, **labels)] += more


def _key(name: str, **labels: str) -> _Key:
    return f"bothways_spoke_{name}", tuple(sorted(labels.items()))


def _shown(labels: tuple[tuple[str, str], ...]) -> str:
    # Host names and our own words need no escaping but this, for a caller's host can be anything.
    pairs = [f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels]
    return "{" + ",".join(pairs) + "}" if pairs else ""


_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
