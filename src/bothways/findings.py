"""What a rule or a check found. The one shape in which the hub, the portal and the spoke report; no I/O, no rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding weighs: an `error` refuses, a `warning` asks for a look, an `info` only tells."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    `id` is stable (documentation and programs refer to it), `message` says what was found and what was wanted,
    `hint` what to do next, `citation` the RFC section or `R` number, `subject` where it was found.
    """

    id: str
    message: str
    hint: str
    citation: str
    subject: str = ""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        """Return the finding as one line that a person can act on."""
        where = f" ({self.subject})" if self.subject else ""
        return f"{self.id}: {self.message}{where}. {self.hint}"

    def document(self) -> dict[str, str]:
        """Return the finding as the JSON object that every `--json` output uses."""
        return {
            "id": self.id,
            "level": self.level.value,
            "message": self.message,
            "hint": self.hint,
            "citation": self.citation,
            "subject": self.subject,
        }


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return those findings that refuse."""
    return tuple(finding for finding in findings if finding.level is Level.ERROR)
