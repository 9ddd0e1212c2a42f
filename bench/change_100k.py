"""Figure `change-100k`: how long a change of one customer takes among 100,000 of them."""

import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.harness import Figure, figure
from bench.inbound import TSP_ID, World, asked, connected, world
from bothways.operations.customers import resume_customer, suspend_customer

_CUSTOMERS = 100_000
_ROUNDS = 10
_GOAL = 1.0
_PATIENCE = 30.0
_PAUSE = 0.005


def change_100k() -> Iterator[Figure]:
    """Measure seconds from the operation to its effect on an open connection: suspended, and resumed."""
    with world(_CUSTOMERS) as ours, connected(ours, ours.server, ours.context) as line:
        seconds = [
            _in_force_after(ours, line, suspended=suspended) for _ in range(_ROUNDS) for suspended in (True, False)
        ]
    yield figure(
        "change-100k",
        seconds,
        "s",
        f"at most {_GOAL:g} s",
        f"{_CUSTOMERS:,} customers that may use one service; one is suspended and resumed, seen on an open connection",
        met=lambda value: value <= _GOAL,
    )


def _in_force_after(ours: World, line: ssl.SSLSocket, *, suspended: bool) -> float:
    wanted = b"403" if suspended else b"200"
    with ThreadPoolExecutor(1) as pool:
        started = time.perf_counter()
        (suspend_customer if suspended else resume_customer)(ours.hub, TSP_ID, "tested")
        applied = pool.submit(ours.apply)
        while asked(ours, ours.server, line) != wanted:
            if time.perf_counter() - started > _PATIENCE:
                raise RuntimeError("the change is not in force")
            time.sleep(_PAUSE)
        seconds = time.perf_counter() - started
        applied.result()
    return seconds
