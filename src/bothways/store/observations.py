"""Why calls failed, and at which addresses customers were seen: bounded, and expendable.

What strangers cause is no decision, has no line in the audit, and must not wake the publisher, who looks for changes of
the hub's database. Beside SQLite it has a file of its own, so that it does not fill what backups hold either; in
PostgreSQL, where several control planes see to it, two tables of the one database.
"""

import contextlib
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError

from bothways import files
from bothways.connectivity.observation import MatchedBy, Observation
from bothways.errors import Conflict, Unusable
from bothways.findings import Finding, Level
from bothways.pki.keys import sha256
from bothways.store.database import Database, Place, Transaction
from bothways.store.schema_observations import last_call, observation, source
from bothways.store.schema_under_way import metadata

OF_CUSTOMER = 50
"""How many are kept of each customer, proved and not proved by itself: who claims to be it pushes out no proved one."""
UNMATCHED = 1000
ALL = 200_000
SOURCES = 100_000
KEPT = timedelta(days=30)
WINDOW = timedelta(hours=1)
"""The same again within this time counts one up; later, it is a new one."""

_VERSION = 4
# What only lacks tables that came later.
_LACKING = (1, 2, 3)


class ObservationStore:
    """The database of observations, opened when it is first used: what ails it keeps nobody from the rest of the hub.

    A file that is not there, damaged, or of another version is made anew. Raises `Unusable` if that cannot be.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._database: Database | None = None

    def read(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that only reads."""
        return self._opened().read()

    def write(self, now: datetime) -> AbstractContextManager[Transaction]:
        """Begin a transaction that changes something."""
        return self._opened().write(now, "")

    def close(self) -> None:
        """Close all connections."""
        if self._database:
            self._database.close()

    def _opened(self) -> Database:
        with self._lock:
            if self._database is None:
                place = self._place
                self._database = _opened_or_anew(place) if isinstance(place, Path) else Database(place, told=False)
            return self._database


def add(transaction: Transaction, records: Iterable[Observation]) -> None:
    """Store observations, each counted into the same one of the last hour if there is one, and forget the oldest."""
    lanes = set()
    for record in records:
        _add(transaction.connection, record)
        lanes.add((record.tsp_id, _proved(record)))
    for tsp_id, proved in lanes:
        _trim(transaction.connection, tsp_id, proved=proved)
    connection = transaction.connection
    connection.execute(delete(observation).where(observation.c.last_at < transaction.now - KEPT))
    if (many := connection.execute(select(func.count()).select_from(observation)).scalar_one() - ALL) > 0:
        oldest = select(observation.c.id).order_by(observation.c.id).limit(many)
        connection.execute(delete(observation).where(observation.c.id.in_(oldest)))


def recent(
    connection: Connection,
    tsp_id: str | None = None,
    *,
    unmatched: bool = False,
    after: int = 0,
    limit: int | None = None,
) -> tuple[Observation, ...]:
    """Return observations, the last one first: of all, of one customer, or those of nobody; those after an id's."""
    query = select(observation).order_by(observation.c.id.desc()).limit(limit)
    if tsp_id is not None:
        query = query.where(observation.c.tsp_id == tsp_id)
    if unmatched:
        query = query.where(observation.c.tsp_id.is_(None))
    if after:
        query = query.where(observation.c.id < after)
    return tuple(_observation(row) for row in connection.execute(query))


def count(connection: Connection, since: datetime) -> dict[str, int]:
    """Return how many failed calls there were since then, of customers and of nobody that is known."""
    calls = func.coalesce(func.sum(observation.c.calls), 0)

    def total(*conditions: Any) -> int:
        return int(connection.execute(select(calls).where(observation.c.last_at >= since, *conditions)).scalar_one())

    return {"customers": total(observation.c.tsp_id.is_not(None)), "unmatched": total(observation.c.tsp_id.is_(None))}


def see_sources(transaction: Transaction, pairs: Iterable[tuple[str, str]]) -> None:
    """Record that customers were seen at addresses: pairs of address and tspId."""
    rows = [{"address": address, "tsp_id": tsp_id, "last_at": transaction.now} for address, tsp_id in pairs]
    connection = transaction.connection
    if rows:
        # The same words on both, and no common place for them.
        new = postgresql if connection.dialect.name == postgresql.dialect.name else sqlite
        connection.execute(
            new.insert(source).on_conflict_do_update(
                index_elements=[source.c.address, source.c.tsp_id], set_={"last_at": transaction.now}
            ),
            rows,
        )
    connection.execute(delete(source).where(source.c.last_at < transaction.now - KEPT))
    if (many := connection.execute(select(func.count()).select_from(source)).scalar_one() - SOURCES) > 0:
        oldest = select(source.c.address, source.c.tsp_id).order_by(source.c.last_at).limit(many)
        connection.execute(delete(source).where(tuple_(source.c.address, source.c.tsp_id).in_(oldest)))


def customer_at(connection: Connection, address: str) -> str | None:
    """Return the customer that was seen at an address, if one was, and no other."""
    query = select(source.c.tsp_id).where(source.c.address == address).limit(2)
    found = connection.execute(query).scalars().all()
    return found[0] if len(found) == 1 else None


def forget(transaction: Transaction, tsp_id: str) -> None:
    """Forget everything about a customer."""
    transaction.connection.execute(delete(observation).where(observation.c.tsp_id == tsp_id))
    for table in (source, last_call):
        transaction.connection.execute(delete(table).where(table.c.tsp_id == tsp_id))


def _opened_or_anew(path: Path) -> Database:
    try:
        return _opened(path)
    except Unusable as error:
        # A disk that is full or a lock that is held is no damage: others may be using the file.
        if isinstance(error.__cause__, OperationalError):
            raise
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        return _opened(path)


def _opened(path: Path) -> Database:
    if not path.exists():
        # Another process may be faster.
        with contextlib.suppress(Conflict):
            files.write_new(path, b"", files.PRIVATE)
    database = Database(path)
    try:
        with database.read() as connection:
            current = connection.exec_driver_sql("PRAGMA user_version").scalar_one() == _VERSION
        if not current:
            _make(database)
    except BaseException:
        database.close()
        raise
    return database


def _make(database: Database) -> None:
    with database.write(datetime.min.replace(tzinfo=UTC), "") as transaction:
        connection = transaction.connection
        if (found := connection.exec_driver_sql("PRAGMA user_version").scalar_one()) != _VERSION:
            if found not in _LACKING:
                metadata.drop_all(connection)
            metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version = {_VERSION}")


def _add(connection: Connection, record: Observation) -> None:
    matched_by = record.matched_by.value if record.matched_by else None
    finding = record.finding
    parts = (record.tsp_id, matched_by, finding.id, finding.message, record.source, record.fingerprint)
    same = sha256(repr(parts).encode())
    before = connection.execute(
        select(observation).where(observation.c.same == same, observation.c.last_at > record.last_at - WINDOW)
    ).first()
    if before:
        connection.execute(delete(observation).where(observation.c.id == before.id))
    # Under a new id, so that the last one seen comes first.
    connection.execute(
        insert(observation).values(
            same=same,
            tsp_id=record.tsp_id,
            proved=_proved(record),
            matched_by=matched_by,
            finding=finding.id,
            level=finding.level.value,
            message=finding.message,
            hint=finding.hint,
            citation=finding.citation,
            source=record.source,
            fingerprint=record.fingerprint,
            first_at=before.first_at if before else record.first_at,
            last_at=record.last_at,
            calls=record.count + (before.calls if before else 0),
        )
    )


def _proved(record: Observation) -> bool:
    return record.matched_by is MatchedBy.HANDSHAKE


def _trim(connection: Connection, tsp_id: str | None, *, proved: bool) -> None:
    lane = observation.c.tsp_id == tsp_id if tsp_id is not None else observation.c.tsp_id.is_(None)
    most = UNMATCHED if tsp_id is None else OF_CUSTOMER
    last = (
        select(observation.c.id)
        .where(lane, observation.c.proved.is_(proved))
        .order_by(observation.c.id.desc())
        .limit(1)
        .offset(most)
    )
    if (oldest := connection.execute(last).scalar_one_or_none()) is not None:
        connection.execute(
            delete(observation).where(lane, observation.c.proved.is_(proved), observation.c.id <= oldest)
        )


def _observation(row: Row[Any]) -> Observation:
    return Observation(
        finding=Finding(row.finding, row.message, row.hint, row.citation, level=Level(row.level)),
        tsp_id=row.tsp_id,
        matched_by=MatchedBy(row.matched_by) if row.matched_by else None,
        source=row.source,
        fingerprint=row.fingerprint,
        first_at=row.first_at,
        last_at=row.last_at,
        count=row.calls,
        id=row.id,
    )
