"""Whether a control plane may speak to a node that comes: not before it has published all that was committed by then.

The node may come from another control plane, which was faster. Whatever that one gave it was committed before, so it is
in the number that is asked for here once the node has come; and the number of what is published was read together with
that. A node is given nothing that is older than what it has.
"""

import asyncio
from collections.abc import Callable

from bothways.errors import Unusable
from bothways.store.database import Database

_WAIT_SECONDS = 2.0
_LOOK = 0.02


def has_all(published: int, committed: int) -> bool:
    """Tell whether what is published has in it all that is committed, by the numbers of their last changes."""
    return published >= committed


class CaughtUp:
    """Compares what is published here, by the number of its last change, with what is committed to the database.

    In a file there is no other control plane, and nobody is compared with.
    """

    def __init__(self, database: Database, published: Callable[[], int]) -> None:
        self._database, self._published = database, published
        self._asking: asyncio.Task[int] | None = None

    async def lacks(self) -> str:
        """Wait for two seconds at most until all that is committed now is published; return why it is not, or ""."""
        if not self._database.shared:
            return ""
        committed = None
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                committed = await self._committed()
                while not has_all(self._published(), committed):  # noqa: ASYNC110 - a round of the publisher
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            if committed is None:
                return f"the database did not say within {_WAIT_SECONDS:.0f} s what was changed last"
            return f"change {self._published()} is published here, and {committed} is committed"
        except Unusable as error:
            return str(error)
        return ""

    async def _committed(self) -> int:
        """Return the number of the last change, asked for after the call: one thread asks for all who wait."""
        if self._asking is not None and not self._asking.done():
            # It was begun before, so it may have been answered before as well.
            await asyncio.wait({self._asking})
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._database.change))
        return await asyncio.shield(self._asking)
