"""Figure `cli-start`: how long `bothways --help` takes, from the start of the process to its end."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.harness import Figure, figure

_RUNS = 20
_MILLISECONDS_MOST = 150.0


def cli_start() -> Iterator[Figure]:
    """Measure milliseconds of the overview, and of an interpreter that does nothing, for what is not ours."""
    ours, bare, ours_cpu, bare_cpu = (list[float]() for _ in range(4))
    for _ in range(_RUNS):
        for arguments, wall, cpu in (
            (("-m", "bothways", "--help"), ours, ours_cpu),
            (("-c", "pass"), bare, bare_cpu),
        ):
            elapsed, used = _milliseconds(*arguments)
            wall.append(elapsed)
            cpu.append(used)
    goal = f"under {_MILLISECONDS_MOST:.0f} ms"
    yield figure(
        "cli-start", ours, "ms", goal, "`bothways --help`, wall clock", met=lambda value: value < _MILLISECONDS_MOST
    )
    about = "`bothways --help`, CPU of user and system: what a busy machine does not change"
    yield figure("cli-start-cpu", ours_cpu, "ms", goal, about, met=lambda value: value < _MILLISECONDS_MOST)
    yield figure("cli-start-bare-cpu", bare_cpu, "ms", "none; told beside the other", "`python -c pass`", met=bool)
    yield figure("cli-start-bare", bare, "ms", "none; told beside the other", "`python -c pass`, in turn", met=bool)


def _milliseconds(*arguments: str) -> tuple[float, float]:
    """Return milliseconds by the clock, and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * elapsed, 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
