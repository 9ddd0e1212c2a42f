"""Figure `demo`: how long a newcomer waits for the whole demo, and what it costs."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.harness import Figure, figure

_RUNS = 3
_SECONDS_MOST = 30.0


def demo() -> Iterator[Figure]:
    """Measure `bothways demo --once`, from the start of the process to its end."""
    seconds, cpu = [], []
    for _ in range(_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "bothways", "demo", "--once", "--json"], capture_output=True, check=True
        )
        seconds.append(time.perf_counter() - started)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        steps = len(json.loads(done.stdout))
    what = f"`bothways demo --once`, {steps} steps with two hubs and four customers' servers"
    goal = f"under {_SECONDS_MOST:.0f} s on 2 cores"
    yield figure("demo", seconds, "s", goal, f"{what}, wall clock", met=lambda value: value < _SECONDS_MOST)
    most = 2 * _SECONDS_MOST
    yield figure(
        "demo-cpu",
        cpu,
        "s of CPU",
        f"under {most:.0f} s",
        f"{what}, all processes together; most of it is imports and two RSA keys with 4096 bits",
        met=lambda value: value < most,
    )
