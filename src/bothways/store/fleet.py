"""How the nodes stand, and who is probed, in the database: each control plane writes down its own, and reads of others.

It stands beside the observations, for the same reason: a heartbeat is no change that anybody has to be woken for. What
is compared here is compared by one clock, that of the database.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bothways.store.database import Transaction
from bothways.store.schema_fleet import control_plane, node_status, probed

BEAT = timedelta(seconds=1)
"""How often a control plane says that it is there."""

GONE = timedelta(seconds=4)
"""After which silence it counts as gone, and its nodes as not connected."""

KEPT = timedelta(days=30)
"""For how long is known what the nodes of a control plane that is gone had."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one control plane said last, of itself, its nodes and whom it probes. `alive`: its heart beats."""

    id: str
    name: str
    seen_at: datetime
    alive: bool
    confirmed: int
    answered: int
    nodes: tuple[dict[str, Any], ...] = ()
    probed: frozenset[str] = frozenset()


def begin(transaction: Transaction, id: str, name: str) -> None:  # noqa: A002 - the column's name
    """Put a control plane on record, and forget those that are long gone."""
    connection, now = transaction.connection, clock(transaction.connection, transaction.now)
    old = select(control_plane.c.id).where(control_plane.c.seen_at < now - KEPT)
    for table in (node_status, probed):
        connection.execute(delete(table).where(table.c.control_plane.in_(old)))
    connection.execute(delete(control_plane).where(control_plane.c.id.in_(old)))
    values = {"id": id, "name": name, "started_at": now, "seen_at": now, "confirmed": -1, "answered": -1}
    connection.execute(insert(control_plane).values(values))


def beat(transaction: Transaction, id: str, confirmed: int, answered: int) -> bool:  # noqa: A002 - the column's name
    """Say that a control plane is there, and what its nodes have; return False if it is on record no more."""
    values = {
        "seen_at": clock(transaction.connection, transaction.now),
        "confirmed": confirmed,
        "answered": answered,
    }
    there = update(control_plane).where(control_plane.c.id == id).values(values)
    return transaction.connection.execute(there).rowcount > 0


def write(
    transaction: Transaction,
    id: str,  # noqa: A002 - the column's name
    changed: Mapping[int, dict[str, Any]],
    gone: Iterable[int],
) -> None:
    """Write down how connections stand, each under a number of its own, and forget others."""
    table = node_status.c
    stale = (table.control_plane == id, table.connection.in_([*changed, *gone]))
    transaction.connection.execute(delete(node_status).where(*stale))
    rows = [
        {"control_plane": id, "connection": number, "document": json.dumps(document)}
        for number, document in changed.items()
    ]
    if rows:
        transaction.connection.execute(insert(node_status), rows)


def write_probed(transaction: Transaction, id: str, tsp_ids: Iterable[str]) -> None:  # noqa: A002 - the column's name
    """Write down whose servers a control plane probes now."""
    transaction.connection.execute(delete(probed).where(probed.c.control_plane == id))
    if rows := [{"control_plane": id, "tsp_id": each} for each in tsp_ids]:
        transaction.connection.execute(insert(probed), rows)


def forget(transaction: Transaction, name: str) -> None:
    """Forget the control planes of this name whose hearts beat no more. One that comes back is on record again."""
    connection = transaction.connection
    gone = [each.id for each in told(connection, transaction.now) if each.name == name and not each.alive]
    for column in (node_status.c.control_plane, probed.c.control_plane, control_plane.c.id):
        connection.execute(delete(column.table).where(column.in_(gone)))


def told(connection: Connection, now: datetime, *, besides: str = "") -> tuple[Told, ...]:
    """Return what control planes said last, the one that was heard of last first; all but one."""
    now, nodes = clock(connection, now), dict[str, list[dict[str, Any]]]()
    for row in connection.execute(select(node_status).where(node_status.c.control_plane != besides)):
        nodes.setdefault(row.control_plane, []).append(json.loads(row.document))
    asked = defaultdict[str, set[str]](set)
    for row in connection.execute(select(probed).where(probed.c.control_plane != besides)):
        asked[row.control_plane].add(row.tsp_id)
    others = select(control_plane).where(control_plane.c.id != besides).order_by(control_plane.c.seen_at.desc())
    return tuple(
        Told(
            row.id,
            row.name,
            row.seen_at,
            now - row.seen_at < GONE,
            row.confirmed,
            row.answered,
            tuple(nodes.get(row.id, ())),
            frozenset(asked[row.id]),
        )
        for row in connection.execute(others)
    )


def clock(connection: Connection, now: datetime) -> datetime:
    """Return what time it is: to those who share a database, by its clock and not by their own, which may differ."""
    if connection.dialect.name != "postgresql":
        return now
    moment: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return moment
