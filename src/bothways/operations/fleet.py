"""How each node stands, wherever it is connected: put together from what every control plane says of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from bothways.operations.hub import Hub
from bothways.operations.nodes import remote_nodes
from bothways.operations.standing import Document, unknown
from bothways.store import fleet
from bothways.store.fleet import Told


def stored_nodes(hub: Hub) -> list[Document]:
    """Return how each node stands by what is stored: for whoever asks while no control plane runs here."""
    now = hub.now()
    with hub.read() as connection:
        names = [each.name for each in remote_nodes(connection, now)]
    with hub.observations.read() as connection:
        told = fleet.told(connection, now)
    if not hub.database.shared:
        # The one that wrote it would answer if it were there.
        told = tuple(replace(each, alive=False) for each in told)
    return merged([unknown(name) for name in names], told, now)


def merged(own: Sequence[Document], others: Iterable[Told], now: datetime) -> list[Document]:
    """Return all nodes: `own` has those that are connected here and those on record that are not.

    What is connected nowhere is told with what it had when it was heard of last.
    """
    others = tuple(others)
    there = [each for each in own if each["connected"]]
    for told in others:
        there += [each for each in told.nodes if each["connected"]] if told.alive else []
    connected = {each["node"] for each in there}
    away = [_last_known(each, others) for each in own if not each["connected"] and each["node"] not in connected]
    found = sorted([*there, *away], key=lambda each: (str(each["node"]), str(each["since"])))
    return [each | {"lag_seconds": _lag(each, now)} for each in found]


def _last_known(away: Document, others: Iterable[Told]) -> Document:
    found = [away] if away["since"] else []
    for told in others:
        for each in told.nodes:
            if each["node"] != away["node"]:
                continue
            # Of one that ended without a word, the last heartbeat is when its nodes were there for the last time.
            since = told.seen_at.isoformat() if each["connected"] else each["since"]
            had = {name: each[name] for name in ("version", "answered_at")}
            # Whether it still refuses strangers, whoever knocks there now knows.
            left = {"since": since, "behind_since": each["behind_since"] or since, "canary": away["canary"]}
            found.append(unknown(each["node"]) | had | left)
    return max(found, key=lambda each: datetime.fromisoformat(each["since"]), default=away)


def _lag(document: Document, now: datetime) -> float | None:
    """Return for how many seconds a node lacks something that was published; None if nobody knows."""
    if document["settled"]:
        return 0.0
    if document["behind_since"] is None:
        return None
    return round(max(0.0, (now - datetime.fromisoformat(document["behind_since"])).total_seconds()), 1)
