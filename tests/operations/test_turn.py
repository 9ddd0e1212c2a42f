"""Two processes, one turn: on PostgreSQL by a lock of the server, with a file by the lock of its directory."""

import asyncio
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.eventually import eventually_in_loop
from tests.postgresql import new_schema

from bothways.operations import turn
from bothways.operations.turn import Turn
from bothways.store.database import Database, create

# Says at each look, a tenth of a second after the last one, whether the turn is its own.
LOOKS = """
import sys, time
from contextlib import ExitStack
from pathlib import Path
from bothways.errors import Conflict
from bothways.operations.alone import alone
from bothways.store.database import Database

place = sys.argv[1]
stack, own = ExitStack(), False
mine = Database(place).turn().mine if place.startswith("postgresql") else None
while True:
    if mine:
        own = mine()
    elif not own:
        try:
            stack.enter_context(alone(Path(place)))
            own = True
        except Conflict:
            pass
    print("mine" if own else "waits", flush=True)
    time.sleep(0.1)
"""


@pytest.fixture
def start() -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """Return a starter of processes that look whose turn it is."""
    started: list[subprocess.Popen[str]] = []

    def one(place: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen([sys.executable, "-c", LOOKS, place], stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield one
    for each in started:
        each.kill()
        each.communicate()


def said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_one_has_it_and_when_that_one_is_killed_the_other_takes_it(
    kind: str, start: Callable[[str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    place = str(tmp_path) if kind == "sqlite" else new_schema()
    first, second = start(place), start(place)
    before = [(said(first), said(second)) for _ in range(5)]
    holder, other = (first, second) if before[-1][0] == "mine" else (second, first)
    assert before[-1] in {("mine", "waits"), ("waits", "mine")}
    assert [said(other) for _ in range(5)] == ["waits"] * 5
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    # What comes next may have been said before the end; 600 looks are a minute.
    assert "mine" in (said(other) for _ in range(600))
    assert [said(other) for _ in range(5)] == ["mine"] * 5, "what was taken was given back"


def test_it_is_looked_at_until_the_end_and_then_given_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(turn, "LOOK", 0.01)
    caplog.set_level(logging.INFO)
    with closing(create(url := new_schema(), "PPR")) as one, closing(Database(url)) as other:
        first, second = Turn(one), Turn(other)

        async def test() -> None:
            await first.look()
            await second.look()
            assert (first.held(), second.held()) == (True, False)
            tasks = [asyncio.create_task(each.run()) for each in (first, second)]
            # A task that never began ends nothing.
            await asyncio.sleep(0)
            tasks[0].cancel()
            await eventually_in_loop(second.held)
            tasks[1].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(test())
    told = [each.message.removeprefix("upkeep, probes, rotation and notices ") for each in caplog.records]
    assert [each for each in told if each.startswith("are")] == [
        "are done here",
        "are another control plane's",
        "are done here",
    ]


def test_a_database_that_does_not_answer_is_a_turn_that_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "ANSWER", 0.01)
    answers = threading.Event()

    class Silent:
        def mine(self) -> bool:
            return answers.wait(30)

        def give_back(self) -> None:
            pass

        def close(self) -> None:
            pass

    with closing(create(new_schema(), "PPR")) as database:
        one = Turn(database)

        async def test() -> None:
            await one.look()
            assert one.held()
            one._turn.close()
            one._turn = Silent()
            look = asyncio.create_task(one.look())
            await eventually_in_loop(lambda: not one.held())
            answers.set()
            await look
            assert one.held()

        asyncio.run(test())


def test_with_a_file_it_is_the_one_hubs(tmp_path: Path) -> None:
    with closing(create(tmp_path / "hub.db", "PPR")) as database:
        one = Turn(database)
        assert not one.held()
        asyncio.run(one.look())
        assert one.held()
