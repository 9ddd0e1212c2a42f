"""Waiting for what other threads and processes do: until it is true, however slow the machine is."""

import asyncio
import time
from collections.abc import Callable

SECONDS = 60.0
_PAUSE = 0.01


def eventually(condition: Callable[[], object], what: str = "it did not come") -> None:
    """Look until the condition holds; fail with `what` after `SECONDS`."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(_PAUSE)


async def eventually_in_loop(condition: Callable[[], object], what: str = "it did not come") -> None:
    """As `eventually`, while the event loop goes on."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(_PAUSE)
