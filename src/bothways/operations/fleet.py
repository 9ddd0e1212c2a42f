"""How each node stands, wherever it is connected: put together from what every control plane says of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bothways.operations.hub import Hub
from bothways.operations.nodes import BESIDE, remote_nodes
from bothways.operations.standing import Document, unknown
from bothways.store import fleet
from bothways.store.fleet import Told
from bothways.xds.names import embedded_node


def stored_nodes(hub: Hub) -> list[Document]:
    """Return how each node stands by what is stored: for whoever asks while no control plane runs here."""
    now = hub.now()
    with hub.read() as connection:
        names = [each.name for each in remote_nodes(connection, now)]
    with hub.observations.read() as connection:
        told = fleet.told(connection, now)
    own, beside = [unknown(name) for name in names], list[Document]()
    if hub.database.shared:
        beside = left_behind(told, embedded_node(hub.environment.value))
    else:
        # The one that wrote it would answer if it were there.
        told = tuple(replace(each, alive=False) for each in told)
    return merged(own, told, now, beside)


def planes_at_work(hub: Hub) -> tuple[str, ...]:
    """Return the control planes that work on a database that is shared, by name."""
    with hub.observations.read() as connection:
        return tuple(each.name for each in fleet.told(connection, hub.now()) if each.alive)


def left_behind(others: Iterable[Told], embedded: str, here: str = "") -> list[Document]:
    """Return the Envoys beside control planes that are gone: they may go on with what they had, with nobody to ask.

    `others` has whoever was heard of last first. `here` is the control plane of this machine, if one runs.
    """
    others = tuple(others)
    found, known = [], {here, *(each.name for each in others if each.alive)}
    for told in others:
        if told.name not in known:
            known.add(told.name)
            there = [each for each in told.nodes if each["node"] == embedded and each["connected"]]
            found += [_had(told, each, f"{embedded}{BESIDE}{told.name}") for each in there[:1]]
    return found


def merged(
    own: Sequence[Document], others: Iterable[Told], now: datetime, beside: Iterable[Document] = ()
) -> list[Document]:
    """Return all nodes: `own` has those that are connected here and those on record that are not.

    What is connected nowhere is told with what it had when it was heard of last; so are those of `left_behind`.
    """
    others = tuple(others)
    there = [each for each in own if each["connected"]]
    for told in others:
        there += [each for each in told.nodes if each["connected"]] if told.alive else []
    connected = {each["node"] for each in there}
    away = [_last_known(each, others) for each in own if not each["connected"] and each["node"] not in connected]
    found = sorted([*there, *away, *beside], key=lambda each: (str(each["node"]), str(each["since"])))
    return [each | {"lag_seconds": _lag(each, now)} for each in found]


def _last_known(away: Document, others: Iterable[Told]) -> Document:
    found = [away] if away["since"] else []
    for told in others:
        for each in told.nodes:
            if each["node"] != away["node"]:
                continue
            # Whether it still refuses strangers, whoever knocks there now knows.
            found.append(_had(told, each, each["node"]) | {"canary": away["canary"]})
    return max(found, key=lambda each: datetime.fromisoformat(each["since"]), default=away)


def _had(told: Told, document: Document, name: str) -> Document:
    """Return what a node had that was connected to a control plane, or had left it, under this name."""
    # Of one that ended without a word, the last heartbeat is when its nodes were there for the last time.
    since = told.seen_at.isoformat() if document["connected"] else document["since"]
    had = {each: document[each] for each in ("version", "answered_at")}
    return unknown(name) | had | {"since": since, "behind_since": document["behind_since"] or since}


def _lag(document: Document, now: datetime) -> float | None:
    """Return for how many seconds a node lacks something that was published; None if nobody knows."""
    if document["settled"]:
        return 0.0
    if document["behind_since"] is None:
        return None
    return round(max(0.0, (now - datetime.fromisoformat(document["behind_since"])).total_seconds()), 1)
