"""All ratios to peers in one picture: the last of each that the page of performance has on record."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COLUMNS = 8
_GOAL = re.compile(r"at (?:least|most) ([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure by `name`, as a `value` in terms of the `peer`; `goal` is the ratio aimed at, None if there is none."""

    name: str
    peer: str
    value: float
    goal: float | None
    met: bool


def recorded(page: str) -> list[Ratio]:
    """Return the last ratio of each figure on the page (Markdown), in the order in which they came there first."""
    return list({each.name: each for each in _rows(page)}.values())


def _rows(page: str) -> Iterator[Ratio]:
    for line in page.splitlines():
        cells = [each.strip() for each in line.strip("| ").split(" |")] if line.startswith("| `") else []
        if len(cells) == _COLUMNS and cells[5]:
            goal = _GOAL.match(cells[6])
            yield Ratio(cells[0].strip("`"), cells[4], float(cells[5]), goal and float(goal[1]), cells[7] == "yes")
