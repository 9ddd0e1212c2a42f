"""Rows for every table that there is, by what the tables say of themselves: a new table has some at once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, LargeBinary, MetaData, Table, insert, select

from bothways.store import schema, touched, version
from bothways.store.database import Database
from bothways.store.instant import Instant

AT = datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=UTC)
TEXT = "é😀'\"\\\n\t%s:name"
# Those that a database fills by itself, and those whose rows mean something to whoever opens it.
_OWN = {schema.hub.name, schema.audit.name, version.table.name, touched.table.name}


def fill(database: Database, metadata: MetaData = schema.metadata, count: int = 4) -> None:
    """Put rows into every table, with what is hard to copy in them; each second one says as little as it may."""
    with database.write(AT, "tester") as transaction:
        for table in metadata.sorted_tables:
            for number in range(count if table.name not in _OWN else 0):
                transaction.connection.execute(insert(table).values(_row(transaction.connection, table, number)))
        if metadata is schema.metadata:
            for number in range(count):
                transaction.audit("hub.backup", f"é😀 {number}", text=TEXT, number=number)


def _row(connection: Connection, table: Table, number: int) -> Mapping[str, Any]:
    values = {}
    for column in table.columns:
        counted = column is table.autoincrement_column and not column.foreign_keys
        if not counted and not (column.nullable and number % 2):
            values[column.name] = _value(connection, column, number)
    return values


def _value(connection: Connection, column: Column[Any], number: int) -> Any:
    for reference in column.foreign_keys:
        there = connection.execute(select(reference.column).order_by(reference.column)).scalars().all()
        return there[-1 - number % len(there)]
    if isinstance(column.type, Instant):
        return AT + timedelta(days=number, microseconds=-number)
    if isinstance(column.type, Boolean):
        return bool(number % 2)
    if isinstance(column.type, Integer):
        return 1000 + number
    if isinstance(column.type, LargeBinary):
        return bytes(range(256)) + bytes([number])
    length = getattr(column.type, "length", None)
    # A column with few characters is one of few values.
    return f"{number} {TEXT}"[: length or 1000]
