"""Figure `failover`: each part of a fleet is killed in turn, under load and while changes are made, and what is lost.

Two control planes on one PostgreSQL, three remote nodes that are told of both. Customers call the three without pause,
over connections that stay open and over new ones. One change after the other is made through the API of the one
control plane and the other: a service, which a node answers for with 403 as soon as it has it, and with 404 before.
Killed with `kill -9`: each control plane, the Envoy of each node, and PostgreSQL with all its processes.
"""

import itertools
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self

import httpx2
from tests.wire.load import Load

from bench.harness import Figure, figure
from bench.planes import Fleet, Node, fleet, until
from bothways.operations.services import list_services

LATE = 5.0
"""Seconds within which a change is at all nodes that live, after a control plane has died."""

_DATABASE = "PostgreSQL"
_PAUSE = 0.02
_AGAIN = 0.1
_MORE = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A change that a control plane has answered as done: when it was sent, everywhere, and answered.

    Everywhere it is when each node that lives has it.
    """

    name: str
    sent: float
    everywhere: float
    answered: float


@dataclass(frozen=True, slots=True)
class Kill:
    """What was killed, and when, when it served again, and when the first change after it was at all nodes."""

    what: str
    at: float
    back: float
    changed: float

    @property
    def since(self) -> float:
        """From when on changes are expected: without a database, there is none."""
        return self.back if self.what == _DATABASE else self.at


@dataclass
class Changes:
    """Changes without pause, in a thread; `away` are the nodes that nobody asks, for they are down."""

    fleet: Fleet
    away: set[str] = field(default_factory=set)
    done: list[Change] = field(default_factory=list)
    failure: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def first_sent_after(self, moment: float) -> Change:
        """Wait for the first change that was sent after a moment, and is at all living nodes."""

        def found() -> Change | None:
            if self.failure:
                raise RuntimeError(self.failure)
            return next((each for each in self.done if each.sent >= moment), None)

        change: Change = until(found, "no change came to all nodes")
        return change

    def _run(self) -> None:
        try:
            for number in itertools.count():
                if self._stop.is_set():
                    return
                self._change(f"s{number}", number)
        except Exception as error:  # noqa: BLE001 - whatever it was, whoever waits for a change reads it
            self.failure = f"changes ended: {type(error).__name__}: {error}"

    def _change(self, name: str, number: int) -> None:
        """Make one change, asking the control planes in turn until one answers that it is done."""
        sent: list[float] = []
        answered: list[float] = []
        asking = threading.Thread(target=self._ask, args=(name, number, sent, answered))
        asking.start()
        until(lambda: sent, "it was not sent")
        seen: set[str] = set()

        def everywhere() -> bool:
            for node in self.fleet.nodes:
                if (
                    node.name not in seen
                    and node.name not in self.away
                    and node.serves(self.fleet.spoke, f"/{name}/", HTTPStatus.FORBIDDEN)
                ):
                    seen.add(node.name)
            return {each.name for each in self.fleet.nodes} - self.away <= seen

        until(everywhere, f"{name} is not at all nodes")
        moment = time.monotonic()
        asking.join()
        if answered:
            self.done.append(Change(name, sent[-1], moment, answered[0]))

    def _ask(self, name: str, number: int, sent: list[float], answered: list[float]) -> None:
        body = {"name": name, "prefix": f"/{name}", "upstream": self.fleet.upstream}
        for attempt in itertools.count(number):
            plane = self.fleet.planes[attempt % len(self.fleet.planes)]
            sent.append(time.monotonic())
            try:
                status = plane.post("/services", body)
            except httpx2.HTTPError:
                status = 0
            # Conflict: it was done at an earlier attempt, whose answer was lost.
            if status in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}:
                answered.append(time.monotonic())
                return
            if self._stop.is_set():
                return
            time.sleep(_AGAIN)


@dataclass(frozen=True, slots=True)
class Lost:
    """What came of it: the kills, the answers, and what was lost of calls and of changes."""

    kills: list[Kill]
    changes: list[Change]
    answered: int
    calls: list[str]
    missing: list[str]

    def late(self) -> list[float]:
        """Return after how many seconds each change was everywhere, counted from a kill that came meanwhile."""
        return [each.everywhere - self._began(each, each.everywhere) for each in self.changes]

    def waited(self) -> list[float]:
        """Return after how many seconds each change was answered as done, counted in the same way."""
        return [each.answered - self._began(each, each.answered) for each in self.changes]

    def _began(self, change: Change, end: float) -> float:
        return max([change.sent, *(kill.since for kill in self.kills if change.sent <= kill.since <= end)])


def killed() -> Lost:
    """Kill everything in turn, and return what came of it."""
    with fleet() as ours, ExitStack() as stack:
        loads = {each.name: stack.enter_context(Load(each, ours.spoke, pause=_PAUSE)) for each in ours.nodes}
        changes = stack.enter_context(Changes(ours))
        kills: list[Kill] = []
        down: dict[str, list[tuple[float, float]]] = {each: [] for each in loads}
        for victim in _victims(ours, changes, down):
            for load in loads.values():
                load.wait_for_more(_MORE)
            changes.first_sent_after(time.monotonic())
            kills.append(victim())
            until(lambda: all(each.settled() for each in ours.planes), "not every node has all")
        stack.close()
        # Also what they had before something was killed.
        absent = [
            f"{change.name} at {node.name}"
            for change in changes.done
            for node in ours.nodes
            if not node.serves(ours.spoke, f"/{change.name}/", HTTPStatus.FORBIDDEN)
        ]
        stored = {service.name for service, _ in list_services(ours.planes[0].hub)}
        lost = [
            f"{name}: {said}"
            for name, load in loads.items()
            for at, said in load.lost
            if not any(begin <= at <= end for begin, end in down[name])
        ]
        return Lost(
            kills,
            changes.done,
            sum(sum(load.answered.values()) for load in loads.values()),
            lost,
            [*absent, *(f"{each.name} in the database" for each in changes.done if each.name not in stored)],
        )


def _victims(ours: Fleet, changes: Changes, down: dict[str, list[tuple[float, float]]]) -> list[Callable[[], Kill]]:
    def plane(number: int) -> Kill:
        at = time.monotonic()
        ours.planes[number].kill()
        changed = changes.first_sent_after(at).everywhere
        ours.planes[number].start()
        return Kill(f"control plane {ours.planes[number].hub.directory.name}", at, time.monotonic(), changed)

    def envoy(node: Node) -> Kill:
        changes.away.add(node.name)
        at = time.monotonic()
        node.kill_envoy()
        changed = changes.first_sent_after(at).everywhere
        until(lambda: node.serves(ours.spoke, "/tokens/again"), f"{node.name} does not serve again")
        back = time.monotonic()
        # A call that was begun before it was back may fail a moment later.
        down[node.name].append((at, back + 1))
        changes.away.discard(node.name)
        return Kill(f"Envoy of {node.name}", at, back, changed)

    def postgres() -> Kill:
        at = time.monotonic()
        ours.postgres.kill()
        ours.postgres.start()
        back = time.monotonic()
        return Kill(_DATABASE, at, back, changes.first_sent_after(back).everywhere)

    return [
        *(lambda number=number: plane(number) for number in range(len(ours.planes))),
        *(lambda node=node: envoy(node) for node in ours.nodes),
        postgres,
    ]


def failover() -> Iterator[Figure]:
    """Kill everything once, and tell what was lost and how long it took."""
    found = killed()
    made = f"{len(found.kills)} kills, {found.answered:,} answered calls, {len(found.changes):,} changes meanwhile"
    yield figure(
        "failover-calls",
        [float(len(found.calls))],
        "lost",
        "0",
        f"calls of a customer to nodes whose Envoy was not the one that was killed; {made}",
        met=lambda value: value == 0,
    )
    yield figure(
        "failover-changes",
        [float(len(found.missing))],
        "lost",
        "0",
        f"changes that were answered as done, and are not in the database or at a node in the end; {made}",
        met=lambda value: value == 0,
    )
    for name, seconds, what in (
        ("late", found.late(), "until all living nodes have it"),
        (
            "answer",
            found.waited(),
            "until it is answered as done, which is when all nodes of living control planes have it",
        ),
    ):
        yield figure(
            f"failover-{name}",
            [max(seconds)],
            "s",
            f"at most {LATE:.0f} s",
            f"the slowest of {len(seconds):,} changes, from when it was sent {what}; from a kill that came meanwhile "
            f"(median {statistics.median(seconds):.2f} s)",
            met=lambda value: value <= LATE,
        )
    envoys = [each.back - each.at for each in found.kills if each.what.startswith("Envoy")]
    what = "from the kill of a node's Envoy until the node answers a customer again"
    yield figure("failover-envoy", envoys, "s", "none; told beside the others", what, met=bool)
    databases = [each.changed - each.back for each in found.kills if each.what == _DATABASE]
    what = "from the return of PostgreSQL until a change that was sent after it is at all nodes"
    yield figure("failover-postgresql", databases, "s", "none; told beside the others", what, met=bool)
