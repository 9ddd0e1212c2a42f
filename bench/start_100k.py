"""Figure `start-100k`: a hub with 10,000 and 100,000 customers starts with its Envoy, after it ended in good order.

The first clock stops when a customer's request to a service is answered: Envoy has then what it needs, from the hub or
from the snapshot that the hub saved. The second stops when the hub says that it is ready: Envoy has confirmed all.
"""

import time
from collections.abc import Iterator

from bench.harness import Figure, figure
from bench.inbound import World, asked, connected, world
from bench.peers import resident
from bothways.cli.opening import control
from bothways.demo.process import BothwaysProcess

_POPULATIONS = (10_000, 100_000)
_TIMES = 3
_PATIENCE = 120.0
_PAUSE = 0.02


def start_100k() -> Iterator[Figure]:
    """Measure seconds from the start of the process, and MiB of both processes when all is in force."""
    for customers in _POPULATIONS:
        yield from started(customers)


def started(customers: int) -> Iterator[Figure]:
    """Measure it for so many customers."""
    with world(customers) as ours:
        ours.process.stop()
        measured = [_started(ours) for _ in range(_TIMES)]
    what = f"{customers:,} customers that may use one service, from the start of the hub's process"
    for (name, unit, told), samples in zip(
        (
            ("answer", "s", "to the first answer of a service"),
            ("in-force", "s", "until Envoy has confirmed all"),
            ("control-plane", "MiB", "resident memory of the control plane when all is in force"),
            ("envoy", "MiB", "resident memory of Envoy when all is in force"),
        ),
        zip(*measured, strict=True),
        strict=True,
    ):
        yield figure(
            f"start-{customers // 1000}k-{name}",
            [*samples],
            unit,
            "none; told beside the others",
            f"{what}: {told}",
            met=bool,
        )


def _started(ours: World) -> tuple[float, float, float, float]:
    if _serves(ours):
        raise RuntimeError("Envoy goes on without the hub, and its start cannot be measured")
    started = time.perf_counter()
    process = BothwaysProcess(["hub", "run", "--directory", str(ours.hub.directory)], ours.directory / "hub.log")
    try:
        while not _serves(ours):
            if time.perf_counter() - started > _PATIENCE:
                raise RuntimeError(f"the hub does not serve: {process.last_words()}")
            time.sleep(_PAUSE)
        served = time.perf_counter() - started
        process.next_line(_PATIENCE)
        ready = time.perf_counter() - started
        status = control(ours.hub, "GET", "/status") or {}
        return served, ready, resident(process.pid), resident(status["envoy"]["pid"])
    finally:
        process.stop()


def _serves(ours: World) -> bool:
    try:
        with connected(ours, ours.server, ours.context) as line:
            return asked(ours, ours.server, line) == b"200"
    except OSError:
        return False
