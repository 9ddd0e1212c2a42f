"""Opening the database, and transactions: `read()` sees one state, `write()` changes it together with the audit."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Table, insert, select
from sqlalchemy.exc import DatabaseError, OperationalError

from bothways.errors import NotFound, Unusable
from bothways.store import audit, postgresql, schema, sqlite, text, version
from bothways.store.audit import Line
from bothways.store.making import OBSERVATIONS, SCHEMA, make_tables, make_triggers

Place = Path | str
"""The file of a SQLite database, or the URL of a PostgreSQL one."""

_NO_SUCH_NUMBER = "nothing has a number as large as the one that was asked for"


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


class Changes(Protocol):
    """Tells whether anybody has written."""

    def value(self) -> int:
        """Return a number that is another one when somebody else has committed a change."""

    def close(self) -> None:
        """Close its connection, for good, after the look that is under way."""


class Turn(Protocol):
    """Tells whether it is for this control plane, and for no other, to do something."""

    def mine(self) -> bool:
        """Return whether it is ours, and take it if it is nobody's."""

    def give_back(self) -> None:
        """Let another one have it; the next look takes it again, if it is nobody's."""

    def close(self) -> None:
        """Give it back for good, after the look that is under way."""


class Database:
    """A hub's database: the file of SQLite, or the URL of PostgreSQL. Several processes may open it.

    `told`: whoever waits for changes hears of those that are made here.
    """

    def __init__(self, place: Place, *, told: bool = True) -> None:
        self.place = place
        if isinstance(place, Path):
            self._base = self._reading = sqlite.engine(place)
            self._writing = sqlite.writing(self._base)
        else:
            self._base = postgresql.engine(place)
            self._reading = postgresql.reading(self._base)
            self._writing = postgresql.writing(self._base, told=told)
        text.require_storable(self._base)

    @property
    def shared(self) -> bool:
        """Tell whether several control planes may work on it."""
        return not isinstance(self.place, Path)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one consistent state."""
        with _told(), self._reading.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, now: datetime, actor: str, request_id: str = "") -> Iterator[Transaction]:
        """Yield a transaction that is on disk when the block ends, or undone if it raises."""
        with _told(), self._writing.connect() as connection, connection.begin():
            yield Transaction(connection, now, actor, request_id)

    @contextmanager
    def rebuild(self, now: datetime, actor: str) -> Iterator[Transaction]:
        """Yield a transaction that may change tables, too: it is whole, or undone if the block raises.

        References between rows are looked at when it ends. Raises `Conflict` if a hub works on the database.
        """
        alone = sqlite.rebuilding if isinstance(self.place, Path) else postgresql.rebuilding
        with _told(), self._writing.connect() as connection, alone(connection):
            yield Transaction(connection, now, actor)

    def require_free(self) -> None:
        """Raise `Conflict` if there is a hub in it, `Unusable` if there cannot be one."""
        if isinstance(self.place, Path):
            sqlite.require_free(self.place)
        else:
            self.require_sessions()
            with _told():
                postgresql.require_free(self._base)

    def require_sessions(self) -> None:
        """Raise `Unusable` if what a connection holds, like a lock, would be lost at the end of each transaction."""
        if not isinstance(self.place, Path):
            with _told():
                postgresql.require_sessions(self._base)

    def discard(self) -> None:
        """Take everything out of it: a hub was begun, and never came to be. A file goes with its directory."""
        if not isinstance(self.place, Path):
            with self._base.connect() as connection, connection.begin():
                postgresql.take_out(connection, (SCHEMA, OBSERVATIONS))

    def change(self) -> int:
        """Return the number of the last change, by which control planes that share it speak of one; else always 0."""
        with self.read() as connection:
            return last_change(connection)

    def changes(self) -> Changes:
        """Return what tells of the changes that others make."""
        return sqlite.Changes(self.place) if isinstance(self.place, Path) else postgresql.Changes(self._base)

    def turn(self, of: str = "turn") -> Turn:
        """Return what tells whether it is this control plane's to do what is named; by default, what the clock asks."""
        return sqlite.Turn() if isinstance(self.place, Path) else postgresql.Turn(self._base, of)

    def close(self) -> None:
        """Close all connections."""
        self._base.dispose()


def create(place: Place, environment: str) -> Database:
    """Make the tables of a new hub for this environment. Raises `Conflict` if there is one, `Unusable`."""
    database = Database(place)
    try:
        database.require_free()
        _make(database, environment)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def created(place: Place, environment: str) -> Iterator[Database]:
    """Make a new hub's database as `create` does; if the block raises, nothing is left of it."""
    database = create(place, environment)
    try:
        yield database
    except BaseException:
        database.discard()
        raise
    finally:
        database.close()


def _make(database: Database, environment: str) -> None:
    with database.write(datetime.min.replace(tzinfo=UTC), "") as transaction:
        make_tables(transaction.connection)
        make_triggers(transaction.connection)
        transaction.connection.execute(insert(schema.hub).values(environment=environment))
        transaction.connection.execute(insert(version.table).values(version_num=str(version.VERSION)))


def open_existing(place: Place, environment: str) -> Database:
    """Open a hub's database. Raises `Unusable` if it is none, of another schema, or of another environment (R5).

    Also if a pooler lends the sessions that the hub has to keep.
    """
    return _opened(place, environment, version.require_present)


def open_older(place: Place, environment: str) -> Database:
    """Open a hub's database to bring its schema up to date. Raises `Unusable` as `open_existing`, or if it is newer."""
    return _opened(place, environment, version.require_not_newer)


def _opened(place: Place, environment: str, require: Callable[[Connection, Place], object]) -> Database:
    if isinstance(place, Path):
        sqlite.require_there(place)
    database = Database(place)
    try:
        database.require_sessions()
        with database.read() as connection:
            require(connection, place)
            _require_of(connection, place, environment)
    except BaseException:
        database.close()
        raise
    return database


def _require_of(connection: Connection, place: Place, environment: str) -> None:
    found = connection.execute(select(schema.hub.c.environment)).scalars().all()
    if found != [environment]:
        raise Unusable(
            f"{place} belongs to {' and '.join(found) or 'no environment'}, the contract beside it to {environment}. "
            "An environment is a deployment of its own: restore the directory as it was."
        )


def last_change(connection: Connection) -> int:
    """Return the number of the last change that this connection sees; as `Database.change`."""
    return int(connection.execute(select(schema.hub.c.changes)).scalar_one())


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Unusable(
            f"the database cannot be used: {_in_one_line(error)}. "
            "Check that it is there, its disk and its permissions, then try again."
        ) from error
    except DatabaseError as error:
        if sqlite.is_damage(str(error.orig)):
            raise Unusable(f"the database cannot be used: {error.orig}. Restore it from a backup.") from error
        if getattr(error.orig, "sqlstate", "") == postgresql.OUT_OF_RANGE:
            raise NotFound(_NO_SUCH_NUMBER) from error
        raise
    except OverflowError as error:
        if "SQLite" in str(error):
            raise NotFound(_NO_SUCH_NUMBER) from error
        raise


def _in_one_line(error: DatabaseError) -> str:
    return " ".join(str(error.orig).split())
