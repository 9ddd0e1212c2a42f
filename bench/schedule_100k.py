"""Figure `schedule-100k`: how long it takes to see who of 100,000 customers is to be probed, which a hub does often.

Each customer has a server, an endorsed chain, and as many probes as are kept, the last of them just made: nobody is
due, and nobody is looked at to know it.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

from bench.harness import Figure, figure
from bench.population import add_servers, populate
from bench.portal_site import new_hub
from bothways.outbound.schedule import LOOK_SECONDS, Schedule
from bothways.store.endpoints import PROBES_KEPT

_POPULATIONS = (10_000, 100_000)
_TIMES = 5


def schedule_100k() -> Iterator[Figure]:
    """Measure seconds of one look."""
    for customers in _POPULATIONS:
        yield from looked(customers)


def looked(customers: int) -> Iterator[Figure]:
    """Measure it for so many customers."""
    with new_hub() as made:
        # A clock that stands: each second, somebody more would be due.
        moment = made.now()
        hub = replace(made, now=lambda: moment)
        populate(hub, customers)
        add_servers(hub, customers, PROBES_KEPT)
        seconds = [_seconds(Schedule(hub, _applied)) for _ in range(_TIMES)]
    what = f"{customers:,} customers with {PROBES_KEPT} probes each, nobody due: one look, of those that are made every"
    name, goal = f"schedule-{customers // 1000}k", "none; told beside the others"
    yield figure(name, seconds, "s", goal, f"{what} {LOOK_SECONDS:g} s", met=bool)


def _seconds(schedule: Schedule) -> float:
    started = time.perf_counter()
    if due := schedule.due():
        raise RuntimeError(f"{len(due)} customers are due, and nobody should be")
    return time.perf_counter() - started


async def _applied() -> None:
    """Nothing: nobody is probed."""
