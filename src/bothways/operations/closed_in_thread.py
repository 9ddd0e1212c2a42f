"""Closing what a thread may still look with: such a thread goes on when the task that waits for it is cancelled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from bothways.store.database import Changes, Turn

Kept = TypeVar("Kept", Changes, Turn)


@asynccontextmanager
async def closed_in_thread(kept: Kept) -> AsyncIterator[Kept]:
    """Yield it, and close it when the block ends, however often whoever waits for that is cancelled."""
    try:
        yield kept
    finally:
        # No coroutine, which could be cancelled before it began; and in a thread, for it may wait for another one.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, kept.close))
