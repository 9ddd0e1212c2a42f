"""Takes in what nodes report of customers' servers: gathers it, and has it stored once a minute in a thread.

What is written down is what the nodes have loaded, once, and that somebody was called, once an hour: whoever is let go
was not called for days.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from bothways.dataplane.load_report import Load
from bothways.operations.hub import Hub
from bothways.operations.idle import calls_seen
from bothways.xds import names

_log = logging.getLogger(__name__)

ACTOR = "hub"
_STORE_EVERY = 60.0
_WRITTEN_AGAIN = 3600.0


class Loads:
    """Gathers reports between two rounds.

    `serves` tells whether routes lead to a cluster now. One that was replaced or let go, and stays for a while, counts
    for nothing, and neither does what a node makes up.
    """

    def __init__(self, hub: Hub, serves: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._hub = replace(hub, actor=ACTOR)
        self._serves = serves
        self._clock = clock
        self._called: set[str] = set()
        self._loaded: set[str] = set()
        # When it was last written down that somebody was called, by cluster.
        self._written: dict[str, float] = {}
        self._failure = ""

    def take(self, loads: Iterable[Load]) -> None:
        """Gather a report; never blocks, never fails, and holds no more than there are customers."""
        for each in loads:
            if self._serves(each.cluster):
                (self._called if each.called else self._loaded).add(each.cluster)

    async def run(self) -> None:
        """Store what was gathered, until this task is cancelled; what fails is told once, and lost."""
        while True:
            await asyncio.sleep(_STORE_EVERY)
            try:
                await self.store()
                self._failure = ""
            except Exception as error:  # noqa: BLE001 - whatever it was: the next report says most of it again
                told = f"{type(error).__name__}: {error}"
                if told != self._failure:
                    _log.error("which customers are called cannot be stored: %s", told)
                self._failure = told

    async def store(self) -> None:
        """Store what was gathered and is news."""
        now = self._clock()
        called, loaded, self._called, self._loaded = self._called, self._loaded, set(), set()
        # Some may have been let go since they were reported.
        self._written = {each: at for each, at in self._written.items() if self._serves(each)}
        called = {each for each in called if now - self._written.get(each, -_WRITTEN_AGAIN) >= _WRITTEN_AGAIN}
        called, loaded = ({each for each in some if self._serves(each)} for some in (called, loaded))
        loaded -= self._written.keys() | called
        if not (called or loaded):
            return
        await asyncio.to_thread(calls_seen, self._hub, _customers(called), _customers(loaded))
        self._written |= dict.fromkeys(called, now) | dict.fromkeys(loaded, now - _WRITTEN_AGAIN)


def _customers(clusters: Iterable[str]) -> list[str]:
    return [found[0] for each in clusters if (found := names.customer_of(each))]
