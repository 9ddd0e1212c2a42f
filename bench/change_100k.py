"""Figure `change-100k`: how long a change of one customer takes among 100,000 of them."""

import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from bench.harness import Figure, figure
from bench.inbound import TSP_ID, World, asked, connected, world
from bench.peers import Server
from bothways.operations.customers import resume_customer, suspend_customer

_CUSTOMERS = 100_000
_ROUNDS = 10
_GOAL = 1.0
_PATIENCE = 60.0
_PAUSE = 0.005


@dataclass(frozen=True, slots=True)
class Effect:
    """Seconds of one change: of the operation up to its commit, and from there to Envoy's ACK and to its effect."""

    committed: float
    acknowledged: float
    judged: float


def change_100k() -> Iterator[Figure]:
    """Measure seconds from the operation to its effect on an open connection: suspended, and resumed."""
    with world(_CUSTOMERS) as ours:
        seconds = [each.committed + each.judged for each in effects(ours)]
    # They come in turns, and are not the same: whoever is taken away goes ahead of the map, who comes back is in it.
    for name, samples in (("suspended", seconds[::2]), ("resumed", seconds[1::2])):
        what = f"{_CUSTOMERS:,} customers in both directions; one is {name}, seen on an open connection"
        goal = f"at most {_GOAL:g} s"
        yield figure(f"change-100k-{name}", samples, "s", goal, what, met=lambda value: value <= _GOAL)


def effects(ours: World, nodes: Sequence[Server] = ()) -> list[Effect]:
    """Suspend and resume the customer, time after time, and see it on a connection that stays open, to each server.

    Those are the Envoy beside the hub, and the remote `nodes`.
    """
    with ExitStack() as stack:
        lines = [stack.enter_context(connected(ours, each, ours.context)) for each in (ours.server, *nodes)]
        return [_effect(ours, lines, suspended=suspended) for _ in range(_ROUNDS) for suspended in (True, False)]


def _effect(ours: World, lines: Sequence[ssl.SSLSocket], *, suspended: bool) -> Effect:
    wanted = b"403" if suspended else b"200"
    with ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        (suspend_customer if suspended else resume_customer)(ours.hub, TSP_ID, "tested")
        committed = time.perf_counter()
        acknowledged = pool.submit(_applied, ours)
        # At a node too, the endpoint is called by the name and port that the hub has.
        while lines := [each for each in lines if asked(ours, ours.server, each) != wanted]:
            if time.perf_counter() - committed > _PATIENCE:
                raise RuntimeError("the change is not in force")
            time.sleep(_PAUSE)
        judged = time.perf_counter()
        return Effect(committed - started, acknowledged.result() - committed, judged - committed)


def _applied(ours: World) -> float:
    ours.apply()
    return time.perf_counter()
