"""What is SQLite's own: how a file is opened and made, how transactions begin, and how to see that others wrote."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from bothways import files
from bothways.errors import Unusable

_BUSY_MILLISECONDS = 10_000
_DAMAGE = ("not a database", "malformed")


def engine(path: Path) -> Engine:
    """Return the engine of a file: a write ahead log, and each commit on disk when it returns."""
    made = create_engine(f"sqlite:///{path}")

    @event.listens_for(made, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        # We begin transactions ourselves: the driver's own way would begin late, and fail instead of wait.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("bothways_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return made


def writing(base: Engine) -> Engine:
    """Return the engine whose transactions write: one at a time, from their beginning (BEGIN IMMEDIATE)."""
    return base.execution_options(bothways_write=True)


@contextmanager
def rebuilding(connection: Connection) -> Iterator[None]:
    """Hold a transaction in which tables may be made anew, as SQLite wants it: references are looked at when it ends.

    Whether a hub works on the file, its lock in the hub's directory tells.
    """
    # Without effect inside a transaction: so it goes past SQLAlchemy, which has begun none yet.
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        with connection.begin():
            yield
            if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise Unusable(f"a row of {broken[0]} would refer to nothing in {broken[2]}. Nothing was changed.")
    finally:
        raw.execute("PRAGMA foreign_keys = ON")


def require_free(path: Path) -> None:
    """Make the empty file of a new database. Raises `Conflict` if there is one, `Unusable`."""
    # It comes first: SQLite gives its mode to the log beside it.
    files.write_new(path, b"", files.PRIVATE)


def require_there(path: Path) -> None:
    """Raise `Unusable` if there is no file: opening it would make one."""
    if not path.is_file():
        raise Unusable(f"there is no database at {path}. Make a hub first: bothways hub init")


def is_damage(message: str) -> bool:
    """Tell whether the library says that the file is no database, or broken."""
    return any(damage in message for damage in _DAMAGE)


class Changes:
    """Tells whether anybody else has written, for a few microseconds a look."""

    def __init__(self, path: Path) -> None:
        # Without a transaction of its own: one that stays open would see the same state for ever. Whoever looks, or
        # closes it, does so from any thread.
        self._one_at_a_time = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def value(self) -> int:
        """Return a number that changes when another connection commits."""
        with self._one_at_a_time:
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close its connection."""
        with self._one_at_a_time:
            self._connection.close()


class Turn:
    """The turn of the one control plane that there can be: it holds the lock of the directory that the file is in."""

    def mine(self) -> bool:
        """Return whether it is ours: always."""
        return True

    def give_back(self) -> None:
        """Give nothing back: there is nobody else."""

    def close(self) -> None:
        """Give nothing back."""
