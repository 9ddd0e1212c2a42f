"""How a figure is measured and told: medians with spread, server cost as CPU time, peers in turn in the same run."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

PERFORMANCE = Path(__file__).parent.parent / "docs" / "performance.md"

Bench = Callable[[], Iterator["Figure"]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `value` is the median of `samples` runs, `spread` their least and most; `ratio` is to the `peer`.

    `goal` says in words what was aimed at, `met` whether it was reached, `compared` what was measured against what.
    """

    name: str
    value: float
    unit: str
    spread: tuple[float, float]
    samples: int
    peer: str | None
    ratio: float | None
    goal: str
    met: bool
    compared: str

    def line(self) -> str:
        """Return the figure as one JSON object on one line."""
        return json.dumps(asdict(self))


def figure(
    name: str,
    samples: list[float],
    unit: str,
    goal: str,
    compared: str,
    *,
    met: Callable[[float], bool],
    peer: tuple[str, list[float]] | None = None,
) -> Figure:
    """Return a figure from samples; with a peer (its name and samples), the goal is judged by the ratio of medians."""
    value = statistics.median(samples)
    ratio = None if peer is None else value / statistics.median(peer[1])
    judged = value if ratio is None else ratio
    spread = (round(min(samples), 3), round(max(samples), 3))
    rounded = None if ratio is None else round(ratio, 3)
    named = None if peer is None else peer[0]
    return Figure(name, round(value, 3), unit, spread, len(samples), named, rounded, goal, met(judged), compared)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process, its ended children included, has used so far (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, children_user, children_system = (int(each) for each in fields[11:15])
    return (user + system + children_user + children_system) / os.sysconf("SC_CLK_TCK")


def record(figures: list[Figure], command: str, path: Path = PERFORMANCE) -> None:
    """Append the figures to the page of measured performance, with machine, date and command."""
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    rows = [
        "",
        f"## {when}: `{command}`",
        "",
        f"Machine: {machine}.",
        "",
        "| figure | median | least to most | runs | peer | ratio | goal | met |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(_row(each) for each in figures),
        "",
        *(f"- `{each.name}`: {each.compared}" for each in figures),
    ]
    before = path.read_text() if path.exists() else "# Performance\n"
    path.write_text(before.rstrip() + "\n" + "\n".join(rows) + "\n")


def _row(one: Figure) -> str:
    cells: list[Any] = [
        f"`{one.name}`",
        f"{one.value} {one.unit}",
        f"{one.spread[0]} to {one.spread[1]}",
        one.samples,
        one.peer or "",
        "" if one.ratio is None else one.ratio,
        one.goal,
        "yes" if one.met else "**no**",
    ]
    return "| " + " | ".join(str(each) for each in cells) + " |"
