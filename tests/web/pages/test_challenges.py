"""What was asked is expected back once, soon, and not without bounds; at whichever control plane."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tests.postgresql import in_files

from bothways.operations.hub import Hub
from bothways.operations.under_way import Kind
from bothways.web.pages import challenges
from bothways.web.pages.challenges import LIFE, Challenges


def kept_by(hub: Hub, now: Callable[[], datetime]) -> Challenges[int]:
    return Challenges[int](
        replace(hub, now=now), Kind.PASSKEY, lambda number: {"number": number}, lambda said: int(said["number"])
    )


@in_files
def test_it_is_taken_once_and_not_too_late(hub: Hub, now: datetime) -> None:
    clock = [now]
    kept = kept_by(hub, lambda: clock[0])

    async def run() -> None:
        name = await kept.keep(7)
        assert (await kept.take(name), await kept.take(name)) == (7, None)
        late = await kept.keep(8)
        clock[0] += LIFE * 2
        assert await kept.take(late) is None
        assert await kept.take("never") is None

    asyncio.run(run())


@in_files
def test_beyond_its_bound_the_oldest_is_forgotten(hub: Hub, now: datetime) -> None:
    kept = kept_by(hub, lambda: now)

    async def run() -> None:
        names = [await kept.keep(number) for number in range(10_001)]
        assert (await kept.take(names[0]), await kept.take(names[1])) == (None, 1)

    asyncio.run(run())


def test_another_control_plane_takes_it_for_all(shared_hub: Hub) -> None:
    here, there = (kept_by(shared_hub, shared_hub.now) for _ in range(2))

    async def run() -> None:
        for first, second in ((here, there), (there, here)):
            name = await here.keep(7)
            assert await first.take(name) == 7
            assert (await second.take(name), await first.take(name)) == (None, None)

    asyncio.run(run())


def test_a_flood_is_kept_where_it_comes_and_is_none_of_writes(shared_hub: Hub, now: datetime) -> None:
    here, there = (kept_by(shared_hub, lambda: now) for _ in range(2))

    async def run() -> None:
        names = [await here.keep(number) for number in range(challenges._TOLD + 1)]
        assert await there.take(names[-1]) is None
        assert await here.take(names[-1]) == challenges._TOLD
        assert await there.take(names[0]) == 0

    asyncio.run(run())
