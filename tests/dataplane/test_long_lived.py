import asyncio
import gc
import weakref

import pytest

from bothways.dataplane import long_lived
from bothways.dataplane.long_lived import made_at_once, spare_long_lived


class Plane:
    anew = 0


def test_all_that_is_known_is_spared_once_all_of_it_was_derived_anew_and_what_is_dead_by_then_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plane, done, steps = Plane(), list[str](), list[int]()
    monkeypatch.setattr(gc, "collect", lambda: done.append("collected"))
    monkeypatch.setattr(gc, "unfreeze", lambda: done.append("unfrozen"))
    monkeypatch.setattr(gc, "freeze", lambda: done.append("frozen"))
    monkeypatch.setattr(long_lived, "_LOOK", 0)

    async def run() -> None:
        task = asyncio.create_task(spare_long_lived(plane))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        for anew in (0, 1, 2, 3, 3, 3, 4, 4):
            plane.anew = anew
            await asyncio.sleep(0)
            steps.append(len(done))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert steps == [0, 0, 0, 0, 3, 3, 3, 6]
    assert done == ["unfrozen", "collected", "frozen"] * 2


def test_what_died_in_a_circle_while_it_was_spared_goes_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        itself: "Dead"

    monkeypatch.setattr(long_lived, "_LOOK", 0)
    dead, plane = Dead(), Plane()
    dead.itself, gone = dead, weakref.ref(dead)

    async def run() -> None:
        task = asyncio.create_task(spare_long_lived(plane))  # type: ignore[arg-type]
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    try:
        gc.freeze()
        del dead
        gc.collect()
        assert gone() is not None
        plane.anew = 1
        asyncio.run(run())
        assert gone() is None
    finally:
        gc.unfreeze()


def test_the_collector_is_away_while_all_of_it_is_made_also_if_that_fails() -> None:
    with made_at_once():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), made_at_once():
        1 / 0  # noqa: B018 - it fails
    assert gc.isenabled()
