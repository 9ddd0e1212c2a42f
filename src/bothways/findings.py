"""What a rule or a check found. The one shape in which the hub, the portal and the spoke report; no I/O, no rules."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


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


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a doctor looked at: in which of its areas, what was seen, and what is wrong with it.

    Without `made`, it was not looked at, and what was seen says why.
    """

    area: StrEnum
    name: str
    said: str
    findings: tuple[Finding, ...] = ()
    made: bool = field(default=True, kw_only=True)

    @property
    def level(self) -> str:
        """The heaviest level of its findings; without one `ok`, or `skipped` if it was not looked at."""
        levels = [each.level for each in self.findings]
        return next(
            (each.value for each in (Level.ERROR, Level.WARNING) if each in levels), "ok" if self.made else "skipped"
        )

    def document(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        return {
            "area": self.area.value,
            "name": self.name,
            "level": self.level,
            "said": self.said,
            "findings": [each.id for each in self.findings],
        }
