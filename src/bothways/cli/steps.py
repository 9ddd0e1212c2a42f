"""What the doctors print, of the hub and of the spoke: each step as it is over, and each finding with what mends it."""

import os
import sys
import textwrap
from collections.abc import Iterable, Sequence

from bothways.cli.output import tell
from bothways.findings import Finding, Level, Step

_WIDTH = 100
_COLOURS = {"ok": "32", "skipped": "2", "warning": "33", "error": "31"}


def said(step: Step) -> None:
    """Tell one step, as it is over."""
    marks = {"ok": "ok", "skipped": "skip", "warning": "WARN", "error": "FAIL"}
    mark = marks[step.level].ljust(4)
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        mark = f"\033[{_COLOURS[step.level]}m{mark}\033[0m"
    tell(f"  {step.area.value:<9}{step.name:<24}{step.said}", mark)


def finding_lines(finding: Finding, rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return a finding as a block: its level and id, and under them what `rows` say, each with its name."""
    lines = [f"{finding.level.value.upper()} {finding.id}"]
    for name, text in rows:
        # A command is for copying: it is not broken.
        wrapped = [text] if name in {"run", "more"} else textwrap.wrap(text, _WIDTH, break_long_words=False)
        lines += [f"  {name if not place else '':<7}{line}" for place, line in enumerate(wrapped)]
    return [*lines, ""]


def verdict(findings: Sequence[Finding]) -> str:
    """Return in a few words what it all comes to."""
    count = {level: sum(each.level is level for each in findings) for level in Level}
    if count[Level.ERROR] or count[Level.WARNING]:
        return f"{_count(count[Level.ERROR], 'error')}, {_count(count[Level.WARNING], 'warning')}"
    return "nothing is wrong"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
