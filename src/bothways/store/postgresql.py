"""What is PostgreSQL's own: how transactions begin and who hears of them. Everything else is the same on both.

Writers come one at a time, as with SQLite: each takes an advisory lock before it looks at anything, and then reads what
is committed (READ COMMITTED), which nobody else changes meanwhile. Readers see one state (REPEATABLE READ, READ ONLY).
"""

import threading
import time
from abc import ABC, abstractmethod
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
OUT_OF_RANGE = "22003"
"""What PostgreSQL calls a number that no column can have (SQLSTATE `numeric_value_out_of_range`)."""
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


def require_sessions(base: Engine) -> None:
    """Raise `Unusable` if a pooler lends a session for one transaction: locks and LISTEN would be lost with each.

    Found by a second connection, whose transaction has its session for sure. A pooler then lent it the one that the
    first connection had, or has another one for that.
    """
    with base.execution_options(isolation_level="AUTOCOMMIT").connect() as kept, base.connect() as other:
        session = "SELECT pg_backend_pid()"
        had = kept.exec_driver_sql(session).scalar_one()
        with other.begin():
            # Not asked again if it was lent: a pooler with one session would wait for the end of this transaction.
            lent = other.exec_driver_sql(session).scalar_one() == had
            lent = lent or kept.exec_driver_sql(session).scalar_one() != had
    if lent:
        raise Unusable(
            "what answers at database.url is a pooler that lends its sessions for one transaction each, as PgBouncer "
            "does with pool_mode = transaction; the hub's locks and notices want sessions that are kept. Name the "
            "server itself in database.url; a pooler would have to be one with pool_mode = session."
        )


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


class _Kept(ABC):
    """A connection outside of transactions that is kept, and made anew when it fails, until it is closed for good.

    Whoever looks does so in a thread, which goes on when the task that waits for it is cancelled. So closing waits for
    the look that is under way, and one that comes after it makes no connection, which nobody would close.
    """

    def __init__(self, base: Engine) -> None:
        self._outside = base.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None
        self._closed = False
        self._one_at_a_time = threading.Lock()

    def close(self) -> None:
        """Close its connection, and make no other one."""
        with self._one_at_a_time:
            self._closed = True
            self._let_go()

    def _connected(self) -> Connection:
        if self._connection is None:
            if self._closed:
                raise Unusable("nobody looks at this database any more")
            self._connection = self._outside.connect()
            try:
                self._begin(self._connection)
            except BaseException:
                self._let_go()
                raise
        return self._connection

    @abstractmethod
    def _begin(self, connection: Connection) -> None:
        """Do what comes first on a new connection."""

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


class Changes(_Kept):
    """Tells whether anybody has written: PostgreSQL says so (LISTEN), and once a second it is asked in any case."""

    _value = 0
    _asked = 0.0

    def value(self) -> int:
        """Return a number that changes when anybody commits a change. Raises `Unusable` while it cannot be asked."""
        with self._one_at_a_time:
            try:
                connection = self._connected()
                # psycopg has no word for "what came until now" but a time-out of nothing.
                told = [*connection.connection.driver_connection.notifies(timeout=0)]  # type: ignore[union-attr]
                if told or time.monotonic() - self._asked > _POLL_SECONDS:
                    self._value = int(connection.exec_driver_sql("SELECT changes FROM hub").scalar_one())
                    self._asked = time.monotonic()
            except OperationalError as error:
                self._let_go()
                raise Unusable(f"the database cannot be asked for changes: {error.orig}") from error
            return self._value

    def _begin(self, connection: Connection) -> None:
        schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        connection.exec_driver_sql(f"SELECT pg_advisory_lock_shared({_WORKS})")
        # Before it was had, somebody may have.
        version.require_present(connection, "the database")
        connection.exec_driver_sql(f'LISTEN "{_CHANNEL}{schema}"')
        self._asked = 0.0


class Turn(_Kept):
    """The turn of one control plane among those on one database: a lock that ends with the connection that has it.

    One that is killed gives it back at once; one whose machine is gone, as soon as the server misses its answers.
    """

    def __init__(self, base: Engine, of: str) -> None:
        super().__init__(base)
        self._take = f"SELECT pg_try_advisory_lock(hashtext(current_schema()), hashtext('{of}'))"
        self._mine = False

    def mine(self) -> bool:
        """Return whether it is ours, and take it if it is nobody's; it is not while the database cannot be asked."""
        with self._one_at_a_time:
            try:
                if self._mine:
                    self._connected().exec_driver_sql("SELECT 1")
                else:
                    self._mine = bool(self._connected().exec_driver_sql(self._take).scalar_one())
            except (DBAPIError, Unusable):
                self._let_go()
            return self._mine

    def give_back(self) -> None:
        """Let another one have it; the next look takes it again, if it is nobody's."""
        with self._one_at_a_time:
            self._let_go()

    def _begin(self, connection: Connection) -> None:
        connection.exec_driver_sql(_MISSED)

    def _let_go(self) -> None:
        self._mine = False
        super()._let_go()
