"""Figure `client`: requests of the spoke's clients beside plain httpx2, over the same mTLS connection.

One connection each to the same Envoy of a hub that runs, requests one after the other, in turns of a fraction of a
second that change places, so that whatever else the machine does meets both alike. Counted is the CPU time of the
client, which is what differs: the hub takes the same time for both. The ratio by the clock is told too. The ratios are
those of the medians.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import httpx2

from bench.harness import Figure, figure
from bench.inbound import SERVICE, World, world
from bench.names import looked_up
from bothways.spoke.client import AsyncClient, Client

_TURNS = 80
_REQUESTS = 100
_GOAL = 0.95
_OK = 200


def client() -> Iterator[Figure]:
    """Measure `Client` beside `httpx2.Client`, and `AsyncClient` beside `httpx2.AsyncClient`."""
    with world(0) as ours, looked_up(lambda _: ["127.0.0.1"]):
        yield _figure("client", *_sync(ours))
        yield _figure("client-async", *asyncio.run(_async(ours)))


@dataclass
class _Rates:
    """Requests per second of each turn: of CPU time, and by the clock."""

    cpu: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)


class _Turn:
    """One turn, which is noted at its end."""

    def __init__(self, rates: _Rates) -> None:
        self._rates = rates
        self._cpu, self._clock = time.process_time(), time.perf_counter()

    def note(self, answer: httpx2.Response) -> None:
        if answer.status_code != _OK:
            raise RuntimeError(f"the hub answers {answer.status_code}")

    def end(self) -> None:
        self._rates.cpu.append(_REQUESTS / (time.process_time() - self._cpu))
        self._rates.clock.append(_REQUESTS / (time.perf_counter() - self._clock))


def _figure(name: str, own: _Rates, plain: _Rates) -> Figure:
    by_clock = statistics.median(own.clock) / statistics.median(plain.clock)
    compared = (
        f"requests per second of the client's CPU time, {_TURNS} turns of {_REQUESTS} in turn with plain httpx2, "
        f"same Envoy, same certificate; by the clock the ratio is {by_clock:.3f}"
    )
    goal = f"at least {_GOAL} of httpx2"
    return figure(name, own.cpu, "1/s", goal, compared, met=lambda ratio: ratio >= _GOAL, peer=("httpx2", plain.cpu))


def _order() -> Iterator[int]:
    """Return whose turn it is: ours is 0, and each is first as often as the other."""
    for turn in range(_TURNS):
        yield from (0, 1) if turn % 2 else (1, 0)


def _sync(ours: World) -> tuple[_Rates, _Rates]:
    def run(called: httpx2.Client, rates: _Rates) -> None:
        turn = _Turn(rates)
        for _ in range(_REQUESTS):
            turn.note(called.get(f"/{SERVICE}/"))
        turn.end()

    with (
        Client(ours.spoke) as own,
        httpx2.Client(verify=ours.context, base_url=ours.spoke.contract.terms.endpoint, trust_env=False) as plain,
    ):
        both, rates = (own, plain), (_Rates(), _Rates())
        # The first turn of each makes its connection.
        for each in both:
            run(each, _Rates())
        for whose in _order():
            run(both[whose], rates[whose])
        return rates


async def _async(ours: World) -> tuple[_Rates, _Rates]:
    async def run(get: Callable[[str], Awaitable[httpx2.Response]], rates: _Rates) -> None:
        turn = _Turn(rates)
        for _ in range(_REQUESTS):
            turn.note(await get(f"/{SERVICE}/"))
        turn.end()

    async with (
        AsyncClient(ours.spoke) as own,
        httpx2.AsyncClient(verify=ours.context, base_url=ours.spoke.contract.terms.endpoint, trust_env=False) as plain,
    ):
        both, rates = (own.get, plain.get), (_Rates(), _Rates())
        for each in both:
            await run(each, _Rates())
        for whose in _order():
            await run(both[whose], rates[whose])
        return rates
