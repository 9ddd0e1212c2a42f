"""What `hub doctor` says: the areas that it looks at, and what it all comes to. No I/O."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bothways.findings import Finding, Level, Step

EXPIRING = "DOCTOR-END-01"
"""What ends soon; with nothing else wrong, it has an exit code of its own."""


class Area(StrEnum):
    """Where something was looked at, in the order in which it is done."""

    MACHINE = "machine"
    STORED = "stored"
    NETWORK = "network"
    RUNNING = "running"


class Outcome(StrEnum):
    """What it comes to, for exit codes."""

    OK = "ok"
    EXPIRING = "expiring"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """All that was seen of the hub in `directory`; `seconds` is how long it took."""

    directory: str
    steps: tuple[Step, ...]
    seconds: float

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, in the order in which it was."""
        return tuple(each for step in self.steps for each in step.findings)

    @property
    def outcome(self) -> Outcome:
        """The worst of all."""
        if any(each.level is Level.ERROR for each in self.findings):
            return Outcome.FAILED
        return Outcome.EXPIRING if any(each.id == EXPIRING for each in self.findings) else Outcome.OK

    def document(self) -> dict[str, Any]:
        """Return the report as the JSON object of `hub doctor --json`."""
        return {
            "outcome": self.outcome.value,
            "directory": self.directory,
            "seconds": round(self.seconds, 3),
            "checks": [each.document() for each in self.steps],
            "findings": [each.document() | {"link": link(each.id)} for each in self.findings],
        }


def link(finding_id: str) -> str:
    """Return where more is said about a finding: a page of the documentation, by its name."""
    page = "doctor" if finding_id.startswith("DOCTOR-") else "findings"
    return f"{page}.md#{finding_id.lower()}"
