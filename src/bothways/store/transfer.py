"""Every row of one database into another that is empty, and the proof that it is there: a digest of each table."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Select, Table, func, insert, select
from sqlalchemy.exc import DatabaseError

from bothways.errors import Refused, Unusable
from bothways.store.making import OBSERVATIONS, SCHEMA, make_tables, make_triggers

_GROUP = 1000


@dataclass(frozen=True, slots=True)
class Copied:
    """A table: how many rows it has, and the SHA-256 of all of them in the order of their keys."""

    table: str
    rows: int
    digest: str


def transfer(source: Connection, observed: Connection, target: Connection) -> tuple[Copied, ...]:
    """Make the tables in `target`, which is PostgreSQL and empty, and copy everything that two SQLite files hold.

    Both sides are read again and compared. Raises `Unusable` if a row cannot be stored there, or is another one.
    """
    make_tables(target)
    pairs = [(source, each) for each in SCHEMA.sorted_tables] + [
        (observed, each) for each in OBSERVATIONS.sorted_tables
    ]
    for origin, table in pairs:
        _copy(origin, target, table)
    # The rows know already which customers were touched.
    make_triggers(target)
    return tuple(_compared(origin, target, table) for origin, table in pairs)


def _copy(source: Connection, target: Connection, table: Table) -> None:
    try:
        for group in _groups(source, select(table)):
            target.execute(insert(table), [dict(row._mapping) for row in group])  # noqa: SLF001 - the documented way
        _continue_numbers(source, target, table)
    except (DatabaseError, Refused) as error:
        why = " ".join(str(error.orig if isinstance(error, DatabaseError) else error.findings[0].message).split())
        raise Unusable(
            f"a row of {table.name} cannot be stored in PostgreSQL: {why}. Nothing was changed, here or there: keep "
            "the file, and report this."
        ) from error


def _continue_numbers(source: Connection, target: Connection, table: Table) -> None:
    """Let new rows have the numbers after the last one that was ever given."""
    column = table.autoincrement_column
    if column is None or column.foreign_keys:
        return
    last = source.execute(select(func.max(column))).scalar_one() or 0
    if table.dialect_options["sqlite"]["autoincrement"]:
        said = source.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).scalar()
        last = max(last, said or 0)
    if last:
        target.execute(select(func.setval(func.pg_get_serial_sequence(table.name, column.name), last)))


def _compared(source: Connection, target: Connection, table: Table) -> Copied:
    here, there = _digest(source, table), _digest(target, table)
    if here != there:
        raise Unusable(
            f"{table.name} is not the same in PostgreSQL: found {there.rows} rows, SHA-256 {there.digest}, wanted "
            f"{here.rows} rows, {here.digest}. Nothing was changed, here or there: keep the file, and report this."
        )
    return here


def _digest(connection: Connection, table: Table) -> Copied:
    digest, rows = sha256(), 0
    for group in _groups(connection, select(table).order_by(*table.primary_key.columns)):
        for row in group:
            digest.update(repr(tuple(row)).encode())
        rows += len(group)
    return Copied(table.name, rows, digest.hexdigest())


def _groups(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    """Yield the rows in groups, so that they are never all in memory."""
    return connection.execute(query.execution_options(yield_per=_GROUP)).partitions()
