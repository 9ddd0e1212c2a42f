"""What is known of all customers stays for as long as the hub runs, and is kept out of the garbage collector's sight.

Otherwise the collector goes through all of it again and again: at 10,000 customers it stops the hub for 50 ms each
time, at 100,000 for half a second, and a revocation may be what waits. What is replaced goes all the same, for nothing
in there is in a circle.
"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from bothways.operations.data_plane import DataPlane

_LOOK = 5.0


@contextmanager
def made_at_once() -> Iterator[None]:
    """Keep the collector away while all of it is made: of what stays, it would find nothing, time and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def spare_long_lived(plane: DataPlane) -> None:
    """Have the collector look through everything and then leave it alone, whenever all of it was derived anew.

    Not while more such changes come: the look itself takes as long.
    """
    spared = seen = 0
    while True:
        if plane.anew == seen != spared:
            spared = seen
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        seen = plane.anew
        await asyncio.sleep(_LOOK)
