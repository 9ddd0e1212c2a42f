"""What is PostgreSQL's own: how transactions begin and who hears of them. Everything else is the same on both.

Writers come one at a time, as with SQLite: each takes an advisory lock before it looks at anything, and then reads what
is committed (READ COMMITTED), which nobody else changes meanwhile. Readers see one state (REPEATABLE READ, READ ONLY).
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError

from bothways.errors import Conflict, Unusable
from bothways.store import version
from bothways.store.address import SCHEME, require_address

_LOCK_SECONDS = 10
_CONNECT_SECONDS = 10
_POLL_SECONDS = 1.0
_CHANNEL = "bothways_"
# Whether this transaction has changed anything: only then has it a number.
_WROTE = "pg_current_xact_id_if_assigned() IS NOT NULL"
_COUNT = f"UPDATE hub SET changes = changes + 1 WHERE {_WROTE}"  # noqa: S608 - words of ours
_TELL = f"SELECT pg_notify('{_CHANNEL}' || current_schema(), '') WHERE {_WROTE}"
# Held, and shared, by each hub that works on the database: nobody changes its tables meanwhile.
_WORKS = "hashtext(current_schema()), hashtext('works')"
# Three seconds, all in all: then whoever has the turn is gone.
_MISSED = "SET tcp_keepalives_idle = 1; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2"
_COLLATIONS = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})


def url_of(text: str) -> URL:
    """Return the address of a database as the engine takes it. Raises `ValueError` as `require_address` does."""
    require_address(text)
    return make_url(text).set(drivername=f"{SCHEME}+psycopg")


def engine(text: str) -> Engine:
    """Return the engine of a database; a connection that the server has dropped is made anew."""
    # The encoding is named, since a database of another one answers in bytes, which nobody here could even refuse.
    arguments = {"connect_timeout": _CONNECT_SECONDS, "client_encoding": "UTF8"}
    made = create_engine(url_of(text), pool_pre_ping=True, connect_args=arguments)

    @event.listens_for(made, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{_LOCK_SECONDS}s'; SET timezone = 'UTC'")
        connection.commit()

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        if lock := connection.get_execution_options().get("bothways_lock"):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock(hashtext(current_schema()), hashtext('{lock}'))")

    @event.listens_for(made, "commit")
    def _commit(connection: Connection) -> None:
        if connection.get_execution_options().get("bothways_told"):
            connection.exec_driver_sql(_COUNT)
            connection.exec_driver_sql(_TELL)

    return made


def reading(base: Engine) -> Engine:
    """Return the engine whose transactions see one state, and change nothing."""
    return base.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def writing(base: Engine, *, told: bool) -> Engine:
    """Return the engine whose transactions write, one at a time; whoever waits for changes is told, if `told`."""
    lock = "write" if told else "observe"
    return base.execution_options(isolation_level="READ COMMITTED", bothways_lock=lock, bothways_told=told)


@contextmanager
def rebuilding(connection: Connection) -> Iterator[None]:
    """Hold a transaction in which tables may be changed. Raises `Conflict` if a hub works on the database."""
    with connection.begin():
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_WORKS})").scalar_one():
            raise Conflict("a hub works on this database. End every hub that does, and try again.")
        yield


def require_free(base: Engine) -> None:
    """Raise `Conflict` if it holds anything already, `Unusable` if it orders or writes text in another way."""
    with base.connect() as connection, connection.begin():
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        # Not every release has these columns: `datlocale` came with 17, `datlocprovider` with 15.
        collation = connection.exec_driver_sql(
            "SELECT CASE its ->> 'datlocprovider' WHEN 'i' THEN 'of ICU' ELSE coalesce(its ->> 'datlocale', "
            "datcollate) END FROM pg_database, to_jsonb(pg_database) AS its WHERE datname = current_database()"
        ).scalar_one()
        require_empty(connection)
    if encoding != "UTF8" or collation not in _COLLATIONS:
        raise Unusable(
            f"the database has the encoding {encoding} and the collation {collation}; UTF8 and C or C.UTF-8 are "
            "wanted, so that text is ordered the same everywhere. Make it with: "
            "CREATE DATABASE bothways TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        )


def require_empty(connection: Connection) -> None:
    """Raise `Conflict` if the database holds a hub, or any other table."""
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
    there = connection.exec_driver_sql(tables).scalars().all()
    if there:
        found = "a hub" if "hub" in there else f"{len(there)} tables, like {there[0]},"
        raise Conflict(f"the database holds {found} already. Each hub wants a database of its own: name another one.")


def take_out(connection: Connection, everything: Iterable[MetaData]) -> None:
    """Take tables out, with the functions of their triggers."""
    for each in everything:
        each.drop_all(connection)
    functions = "SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
    for name in connection.exec_driver_sql(functions).scalars().all():
        connection.exec_driver_sql(f"DROP FUNCTION {name}")


class Changes:
    """Tells whether anybody has written: PostgreSQL says so (LISTEN), and once a second it is asked in any case."""

    def __init__(self, base: Engine) -> None:
        self._listening = base.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None
        self._value = 0
        self._asked = 0.0

    def value(self) -> int:
        """Return a number that changes when anybody commits a change. Raises `Unusable` while it cannot be asked."""
        try:
            connection = self._connected()
            # psycopg has no word for "what came until now" but a time-out of nothing.
            told = [*connection.connection.driver_connection.notifies(timeout=0)]  # type: ignore[union-attr]
            if told or time.monotonic() - self._asked > _POLL_SECONDS:
                self._value = int(connection.exec_driver_sql("SELECT changes FROM hub").scalar_one())
                self._asked = time.monotonic()
        except OperationalError as error:
            self.close()
            raise Unusable(f"the database cannot be asked for changes: {error.orig}") from error
        except Unusable:
            self.close()
            raise
        return self._value

    def close(self) -> None:
        """Close its connection; the next look makes another one."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._listening.connect()
            schema = self._connection.exec_driver_sql("SELECT current_schema()").scalar_one()
            self._connection.exec_driver_sql(f"SELECT pg_advisory_lock_shared({_WORKS})")
            # Before it was had, somebody may have.
            version.require_present(self._connection, "the database")
            self._connection.exec_driver_sql(f'LISTEN "{_CHANNEL}{schema}"')
            self._asked = 0.0
        return self._connection


class Turn:
    """The turn of one control plane among those on one database: a lock that ends with the connection that has it.

    One that is killed gives it back at once; one whose machine is gone, as soon as the server misses its answers.
    """

    def __init__(self, base: Engine, of: str) -> None:
        self._asking = base.execution_options(isolation_level="AUTOCOMMIT")
        self._take = f"SELECT pg_try_advisory_lock(hashtext(current_schema()), hashtext('{of}'))"
        self._connection: Connection | None = None
        self._mine = False
        self._one_at_a_time = threading.Lock()

    def mine(self) -> bool:
        """Return whether it is ours, and take it if it is nobody's; it is not while the database cannot be asked."""
        with self._one_at_a_time:
            try:
                if self._connection is None:
                    self._connection = self._asking.connect()
                    self._connection.exec_driver_sql(_MISSED)
                if self._mine:
                    self._connection.exec_driver_sql("SELECT 1")
                else:
                    self._mine = bool(self._connection.exec_driver_sql(self._take).scalar_one())
            except DBAPIError:
                self._let_go()
            return self._mine

    def close(self) -> None:
        """Give it back."""
        with self._one_at_a_time:
            self._let_go()

    def _let_go(self) -> None:
        self._mine = False
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
