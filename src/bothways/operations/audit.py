"""The audit: whether it is as it was written, and its lines for other systems to keep."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bothways.operations.hub import Hub
from bothways.store import audit


@dataclass(frozen=True, slots=True)
class AuditState:
    """How many lines there are, the hash of the last one, and where the chain breaks, if it does.

    `known` is the line that somebody wrote down earlier, if one was given, and `missing` whether it is not there any
    more: how lines that were cut off at the end are found.
    """

    lines: int
    hash: str
    broken_at: int | None
    known: tuple[int, str] | None = None
    missing: bool = False

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, removed, put in or cut off, as far as it can be known."""
        return self.broken_at is None and not self.missing

    def document(self) -> dict[str, Any]:
        """Return the state as the JSON object that the command line shows."""
        return {
            "whole": self.whole,
            "lines": self.lines,
            "head": f"{self.lines}:{self.hash}",
            "broken_at": self.broken_at,
            "known_head_missing": self.missing,
        }


def verify_audit(hub: Hub, known: tuple[int, str] | None = None) -> AuditState:
    """Compute the chain of hashes anew; with the sequence number and hash of a known line, look for that one too."""
    with hub.read() as connection:
        lines, digest = audit.last(connection)
        missing = known is not None and all(
            (line["sequence"], line["hash"]) != known for line in audit.every(connection, known[0] - 1)
        )
        return AuditState(lines, digest, audit.first_broken(connection), known, missing)


def export_audit(hub: Hub, after: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the lines after a sequence number as JSON objects, oldest first, all of one moment."""
    with hub.read() as connection:
        for line in audit.every(connection, after):
            yield line | {"at": line["at"].isoformat(timespec="microseconds"), "detail": json.loads(line["detail"])}
