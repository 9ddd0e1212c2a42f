"""Whose facts changed since the last look. Triggers write it down, so that no operation can forget to."""

from dataclasses import dataclass

from sqlalchemy import Column, Connection, Integer, String, Table, delete, func, select

from bothways.store import schema, schema_credentials, schema_outbound
from bothways.store.trigger import make_trigger

KEPT = 100_000
"""Changes that are remembered; whoever looks later than that derives everything anew."""

table = Table(
    "touched",
    schema.metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", String(32), nullable=False),
    sqlite_autoincrement=True,
)
"""Whose facts changed, in the order of the changes."""

_FACTS = (
    schema.customer,
    schema.request,
    schema.certificate,
    schema.endpoint,
    schema_outbound.submitted_endpoint,
    schema_outbound.chain,
    schema.probe,
    schema.granted,
    schema_credentials.customer_credential,
    schema_credentials.held,
)


@dataclass(frozen=True, slots=True)
class Touched:
    """The customers that were touched after a place in the sequence, and the place of the next look.

    `tsp_ids` is None if nobody knows any more which ones they were: it may be any.
    """

    tsp_ids: frozenset[str] | None
    place: int


def make_triggers(connection: Connection) -> None:
    """Make the triggers of a new database, for each table that a customer's facts come from."""
    for facts in _FACTS:
        for change, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            name = f"touched_by_{change.lower()}_of_{facts.name}"
            written = f"INSERT INTO {table.name} (tsp_id) VALUES ({row}.tsp_id)"  # noqa: S608 - names of ours
            make_trigger(connection, name, f"AFTER {change} ON {facts.name}", written)


def since(connection: Connection, place: int | None) -> Touched:
    """Return who was touched after a place, which an earlier look returned; None for the first look."""
    first, last = _ends(connection)
    first, last = first or 1, last or 0
    # Before the first that is kept, or after the last that there is: then this is another database than it was.
    if place is None or not first - 1 <= place <= last:
        return Touched(None, last)
    found = connection.scalars(select(table.c.tsp_id).where(table.c.id > place).distinct())
    return Touched(frozenset(found), last)


def forget(connection: Connection) -> None:
    """Forget what is older than the last changes that are kept; the last one always stays, for the sequence."""
    last = connection.execute(select(func.max(table.c.id))).scalar_one() or 0
    connection.execute(delete(table).where(table.c.id <= last - KEPT))


def is_long(connection: Connection) -> bool:
    """Tell whether there is something to forget, and enough of it to be worth a write."""
    first, last = _ends(connection)
    return first is not None and last is not None and last - first >= 2 * KEPT


def _ends(connection: Connection) -> tuple[int | None, int | None]:
    """Return the first number and the last one."""
    # Each by itself is the end of an index: for both at once, SQLite would read all that there are.
    first, last = (select(each(table.c.id)).scalar_subquery() for each in (func.min, func.max))
    found = connection.execute(select(first, last)).one()
    return found[0], found[1]
