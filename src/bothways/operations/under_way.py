"""What one control plane has under way, told to all others on the database: any of them says how far it is.

On a database that is a file there are no others: nothing is told, and nobody is asked.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from bothways.errors import BothwaysError
from bothways.operations.hub import Hub
from bothways.store import under_way

Document = dict[str, Any]

SILENT = timedelta(seconds=10)
"""After which the one that has it under way counts as gone."""

KNOCK_KEPT = timedelta(minutes=1)
"""For how long it is known from where a canary knocked: longer than a node takes to tell of it."""

_EVERY = 0.5


class Kind(StrEnum):
    """What can be under way."""

    ASKED_PROBE = "asked probe"
    PAGE_PROBE = "page probe"
    APPROVALS = "approvals"
    KNOCK = "knock"
    PASSKEY = "passkey"
    PROBLEM = "problem"
    SINGLE_SIGN_ON = "single sign-on"


@dataclass(frozen=True, slots=True)
class Said:
    """How something stands by the last word of it. `silent`: there should have been a later one by now."""

    document: Document
    silent: bool


def tell(hub: Hub, kind: Kind, name: str, document: Document, kept: timedelta = under_way.KEPT) -> None:
    """Tell all control planes how something stands; it is known for so long. Raises `Unusable`."""
    if hub.database.shared:
        with hub.observations.write(hub.now()) as transaction:
            under_way.tell(transaction, kind.value, {name: document}, kept)


def tell_knocks(hub: Hub, places: Collection[str]) -> None:
    """Tell all control planes from where the canary of this one knocks, by `knocked`. Raises `Unusable`."""
    with hub.observations.write(hub.now()) as transaction:
        under_way.tell(transaction, Kind.KNOCK.value, {each: {} for each in places}, KNOCK_KEPT)


def said_of(hub: Hub, kind: Kind, name: str) -> Said | None:
    """Return the last word of something, from whichever control plane; None if there is none of the last hour.

    Raises `Unusable`.
    """
    if not hub.database.shared:
        return None
    with hub.observations.read() as connection:
        word = under_way.told(connection, kind.value, name, hub.now())
    return None if word is None or word.age > under_way.KEPT else Said(word.document, word.age > SILENT)


def knocked(address: str, port: int | str) -> str:
    """Return the name of a connection of the canary's, by where it comes from."""
    return f"{address} {port}"


def take(hub: Hub, kind: Kind, name: str, within: timedelta) -> Document | None:
    """Return the last word of something if it is no older, and take it from all. Raises `Unusable`."""
    if not hub.database.shared:
        return None
    with hub.observations.write(hub.now()) as transaction:
        word = under_way.take(transaction, kind.value, name)
    return word.document if word and word.age <= within else None


@asynccontextmanager
async def telling(hub: Hub, kind: Kind, name: str, document: Callable[[], Document]) -> AsyncIterator[None]:
    """Tell all control planes again and again how something stands, and once more when the block has ended."""
    over = asyncio.Event()

    async def again() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _EVERY)
            if not over.is_set():
                await attempt()

    async def attempt() -> None:
        # Whoever asks meanwhile is told what was said before.
        with contextlib.suppress(BothwaysError):
            await asyncio.to_thread(tell, hub, kind, name, document())

    task = asyncio.create_task(again()) if hub.database.shared else None
    try:
        yield
    finally:
        if task is not None:
            # It is not cancelled: what its thread says would be told all the same, and perhaps after the last word.
            over.set()
            await asyncio.gather(task, return_exceptions=True)
            await attempt()
