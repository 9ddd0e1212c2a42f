"""Figure `cli-start`: how long `bothways --help` takes, from the start of the process to its end."""

import subprocess
import sys
import time
from collections.abc import Iterator

from bench.harness import Figure, figure

_RUNS = 20
_MILLISECONDS_MOST = 150.0


def cli_start() -> Iterator[Figure]:
    """Measure milliseconds of the overview, and of an interpreter that does nothing, for what is not ours."""
    ours, bare = [], []
    for _ in range(_RUNS):
        ours.append(_milliseconds("-m", "bothways", "--help"))
        bare.append(_milliseconds("-c", "pass"))
    goal = f"under {_MILLISECONDS_MOST:.0f} ms"
    yield figure(
        "cli-start", ours, "ms", goal, "`bothways --help`, wall clock", met=lambda value: value < _MILLISECONDS_MOST
    )
    yield figure("cli-start-bare", bare, "ms", "none; told beside the other", "`python -c pass`, in turn", met=bool)


def _milliseconds(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    return 1000 * (time.perf_counter() - started)
