"""Whose turn it is, of several control planes on one database, to do what the clock asks.

That is upkeep, probes, rotation and notices. Each is safe to do twice; once is enough. What somebody asked for is done
by the control plane that was asked.
"""

import asyncio
import logging

from bothways.operations.closed_in_thread import closed_in_thread
from bothways.store.database import Database

_log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks: whoever waits takes over within these, once the turn is nobody's."""

ANSWER = 2.0
"""Seconds after which a database that does not answer counts as lost, and the turn with it."""


class Turn:
    """The turn as this control plane knows it. `held` tells whether it is ours, as of the last look."""

    def __init__(self, database: Database) -> None:
        self._turn = database.turn()
        self._held = False
        self._looked = False

    def held(self) -> bool:
        """Return whether it was ours at the last look."""
        return self._held

    async def run(self) -> None:
        """Look again and again until this task is cancelled; then give it back."""
        async with closed_in_thread(self._turn):
            while True:
                await self.look()
                await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Look once, and take the turn if it is nobody's."""
        look = asyncio.create_task(asyncio.to_thread(self._turn.mine))
        await asyncio.wait({look}, timeout=ANSWER)
        if not look.done():
            # Another one may have it by now.
            self._know(held=False)
        self._know(held=await look)

    def _know(self, *, held: bool) -> None:
        if held != self._held or not self._looked:
            what = "are done here" if held else "are another control plane's"
            _log.info("upkeep, probes, rotation and notices %s", what)
        self._held, self._looked = held, True
