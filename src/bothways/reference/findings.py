"""The index of all findings, from the tables of the pages that explain them."""

import re
from typing import NamedTuple

from bothways.manual.passages import anchor
from bothways.reference import MADE

PAGES = ("findings", "probe", "check", "doctor")
"""The pages with the tables; tests compare each with the ids in the code."""

_ROW = re.compile(
    r"^\| (?:<a id=\"[^\"]+\"></a>)?`([A-Z][A-Z0-9-]+)` \| (?:((?:error|warning|info)\b[^|]*?) \|)?(.*)\|$",
    re.MULTILINE,
)


class Explained(NamedTuple):
    """A finding as a page explains it: where, how much it weighs, what is behind it."""

    id: str
    page: str
    level: str
    behind: str


def explained(page: str, markdown: str) -> list[Explained]:
    """Return the findings that a page explains."""
    found = []
    for id_, level, rest in _ROW.findall(markdown):
        cells = [each.strip() for each in rest.split(" | ")]
        found.append(Explained(id_, page, level, cells[0]))
    return found


def findings_page(pages: dict[str, str]) -> str:
    """Return the index for the pages, by their names."""
    rows = sorted(each for name, markdown in pages.items() for each in explained(name, markdown))
    lines = [
        (
            "# All findings\n\nAll ids in the order of the alphabet; each leads to what is behind it and to what "
            f"mends it. {MADE}\n"
        ),
        (
            "A finding's id never changes its meaning. `bothways ask ID` prints what is said about it, without a "
            "network.\n"
        ),
        "| id | level | what it is about |",
        "| --- | --- | --- |",
    ]
    lines += [f"| [{each.id}]({each.page}.md#{anchor(each.id)}) | {each.level} | {each.behind} |" for each in rows]
    return "\n".join(lines) + "\n"
