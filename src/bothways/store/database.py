"""Opening the database, and transactions: `read()` sees one state, `write()` changes it together with the audit."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from bothways import files
from bothways.errors import Unusable
from bothways.store import (
    append_only,
    audit,
    indexes,
    schema,
    schema_api,
    schema_nodes,
    schema_people,
    schema_sign_in,
    schema_statements,
    touched,
)
from bothways.store.audit import Line

_BUSY_MILLISECONDS = 10_000
_DAMAGE = ("not a database", "malformed")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One write transaction: a connection, the moment it counts for, who acts, and in which call."""

    connection: Connection
    now: datetime
    actor: str
    request_id: str = ""

    def insert(self, table: Table, **values: object) -> int:
        """Insert a row, and return its number."""
        key = self.connection.execute(insert(table).values(**values)).inserted_primary_key
        return int(key[0]) if key else 0

    def audit(self, action: str, subject: str, **detail: object) -> None:
        """Write the line of the audit that belongs to this change."""
        self.audit_all([Line(action, subject, detail)])

    def audit_all(self, lines: Iterable[Line]) -> None:
        """Write the lines of the audit that belong to many changes."""
        audit.append(self.connection, self.now, self.actor, lines, self.request_id)


class Database:
    """A hub's SQLite database. Several processes may open it: the command line writes beside a running hub."""

    def __init__(self, path: Path) -> None:
        self._engine = _engine(path)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent state."""
        with _told(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, now: datetime, actor: str, request_id: str = "") -> Iterator[Transaction]:
        """Yield a transaction that is on disk when the block ends, or undone if it raises."""
        with (
            _told(),
            self._engine.connect().execution_options(bothways_write=True) as connection,
            connection.begin(),
        ):
            yield Transaction(connection, now, actor, request_id)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


class ChangeCounter:
    """Tells whether another process has written, for a few microseconds a look."""

    def __init__(self, path: Path) -> None:
        # Without a transaction of its own: one that stays open would see the same state for ever.
        self._connection = sqlite3.connect(path, isolation_level=None)

    def value(self) -> int:
        """Return a number that changes when another connection commits."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close its connection."""
        self._connection.close()


def create(path: Path, environment: str) -> Database:
    """Make the tables in a new file for this environment. Raises `Conflict` if there is one, `Unusable`."""
    # The empty file comes first: SQLite gives its mode to the log beside it.
    files.write_new(path, b"", files.PRIVATE)
    database = Database(path)
    with database.write(datetime.min.replace(tzinfo=UTC), "") as transaction:
        # The one schema, with what other modules add to it.
        for module in (schema, schema_nodes, schema_people, schema_api, schema_sign_in, schema_statements, indexes):
            module.metadata.create_all(transaction.connection)
        touched.make_triggers(transaction.connection)
        append_only.make_triggers(transaction.connection, schema.audit)
        transaction.connection.execute(
            insert(schema.hub).values(schema_version=schema.VERSION, environment=environment)
        )
    return database


def open_existing(path: Path, environment: str) -> Database:
    """Open a hub's database. Raises `Unusable` if it is none, of another version, or of another environment (R5)."""
    if not path.is_file():
        raise Unusable(f"there is no database at {path}. Make a hub first: bothways hub init")
    database = Database(path)
    try:
        _check(database, path, environment)
    except BaseException:
        database.close()
        raise
    return database


def _check(database: Database, path: Path, environment: str) -> None:
    with database.read() as connection:
        if not inspect(connection).has_table(schema.hub.name):
            raise Unusable(f"{path} is a database, but holds no hub. Restore it from a backup.")
        row = connection.execute(select(schema.hub)).one_or_none()
    if row is None or row.schema_version != schema.VERSION:
        found = "none" if row is None else row.schema_version
        raise Unusable(f"{path} has schema version {found}, wanted {schema.VERSION}. Use the bothways that made it.")
    if row.environment != environment:
        raise Unusable(
            f"{path} belongs to {row.environment}, the contract beside it to {environment}. "
            "An environment is a deployment of its own: restore the directory as it was."
        )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unusable(
            f"the database cannot be used: {error.orig}. Check disk and permissions, then try again."
        ) from error
    except DatabaseError as error:
        if any(damage in str(error.orig) for damage in _DAMAGE):
            raise Unusable(f"the database cannot be used: {error.orig}. Restore it from a backup.") from error
        raise


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # We begin transactions ourselves: the driver's own way would begin late, and fail instead of wait.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("bothways_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
