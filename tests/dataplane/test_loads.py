import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from tests.dataplane.test_load_report import cluster_of
from tests.eventually import eventually_in_loop

from bothways.dataplane import loads as module
from bothways.dataplane.load_report import Load
from bothways.dataplane.loads import Loads
from bothways.operations.hub import Hub
from bothways.store.calls import idle_since

HOUR = timedelta(hours=1)


@dataclass
class Scene:
    """A hub whose clock is moved by hand, and which clusters of customers its routes lead to."""

    hub: Hub
    moment: datetime
    served: set[str] = field(default_factory=lambda: {cluster_of(each) for each in "ABC"})

    def __post_init__(self) -> None:
        self.hub = replace(self.hub, now=lambda: self.moment)
        self.loads = Loads(self.hub, self.served.__contains__, self._seconds)

    def _seconds(self) -> float:
        return self.moment.timestamp()

    def report(self, called: str = "", loaded: str = "") -> None:
        self.loads.take(Load(cluster_of(each), called=True) for each in called)
        self.loads.take(Load(cluster_of(each), called=False) for each in loaded)
        asyncio.run(self.loads.store())

    def idle(self, since: datetime) -> tuple[str, ...]:
        with self.hub.observations.read() as connection:
            return idle_since(connection, since, 10)


@pytest.fixture
def scene(hub: Hub, now: datetime) -> Scene:
    return Scene(hub, now)


def test_a_call_is_written_down_once_an_hour_and_what_is_loaded_once(scene: Scene) -> None:
    first = scene.moment
    scene.report(called="A", loaded="B")
    assert scene.idle(first) == ("A", "B")
    scene.moment += HOUR / 2
    scene.report(called="A", loaded="B")
    assert scene.idle(first) == ("A", "B")
    scene.moment += HOUR / 2
    scene.report(called="A", loaded="B")
    assert (scene.idle(first), scene.idle(scene.moment)) == (("B",), ("A", "B"))
    scene.report(called="B")
    assert scene.idle(first) == ()


def test_what_no_route_leads_to_counts_for_nothing_also_if_it_was_let_go_meanwhile(scene: Scene) -> None:
    scene.loads.take([Load(cluster_of("B"), called=True)])
    scene.served.discard(cluster_of("B"))
    scene.report(called="AX", loaded="Y")
    assert scene.idle(scene.moment) == ("A",)
    # It comes back under another name: that is another one, and said at once.
    scene.served.discard(cluster_of("A"))
    scene.moment += HOUR / 4
    scene.report()
    scene.served.add(cluster_of("A"))
    scene.report(called="A")
    assert scene.idle(scene.moment - HOUR / 4) == ()


def test_a_database_that_fails_is_told_once_and_stops_nothing(
    hub: Hub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STORE_EVERY", 0.001)
    rounds: list[int] = []

    class Failing(Loads):
        async def store(self) -> None:
            rounds.append(1)
            raise ZeroDivisionError

    async def run() -> None:
        running = asyncio.create_task(Failing(hub, lambda _: True).run())
        await eventually_in_loop(lambda: len(rounds) > 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with caplog.at_level(logging.ERROR):
        asyncio.run(run())
    assert caplog.text.count("which customers are called cannot be stored: ZeroDivisionError") == 1
