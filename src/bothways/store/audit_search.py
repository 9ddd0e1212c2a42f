"""Looking through the audit: by who acted, of which customer, by action and by time, at any length of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from bothways.store.audit_customer import NAMED_BY_SUBJECT, customer_named, customer_or_subject
from bothways.store.schema import audit

CLOCKS_APART = timedelta(days=1)
"""How far the clocks of those who write lines may be from each other, so that a time still finds all of its lines."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines: those that are all of what is named. `since` is the first moment, `until` the one after the last."""

    actor: str = ""
    customer: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


ALL = AuditFilter()


def oldest_first(
    connection: Connection, wanted: AuditFilter, after: int = 0, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the lines after a sequence number, at most `limit` if there is one, each as its columns."""
    query = _found(connection, wanted).where(audit.c.sequence > after).order_by(audit.c.sequence).limit(limit)
    for row in connection.execute(query):
        yield dict(row._mapping)  # noqa: SLF001 - the documented way to a row's columns


def newest_first(connection: Connection, wanted: AuditFilter, before: int, limit: int) -> tuple[dict[str, Any], ...]:
    """Return at most `limit` lines before a sequence number, or the last ones if it is 0."""
    query = _found(connection, wanted).order_by(audit.c.sequence.desc()).limit(limit)
    rows = connection.execute(query.where(audit.c.sequence < before) if before else query)
    return tuple(dict(row._mapping) for row in rows)  # noqa: SLF001


def _found(connection: Connection, wanted: AuditFilter) -> Select[Any]:
    conditions = [*_stretch(connection, wanted)]
    # A customer has few lines: beside one, no other index is to be taken, as an expression has none.
    plain = "" if wanted.customer else None
    for column, value in ((audit.c.actor, wanted.actor), (audit.c.action, wanted.action)):
        if value:
            conditions.append((column if plain is None else column.concat(plain)) == value)
    if wanted.customer:
        by_subject = audit.c.action.in_(NAMED_BY_SUBJECT)
        conditions.append(customer_or_subject(audit.c.detail, audit.c.subject) == wanted.customer)
        conditions.append(or_(customer_named(audit.c.detail).is_not(None), by_subject))
    return select(audit).where(and_(True, *conditions))


def _stretch(connection: Connection, wanted: AuditFilter) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions of the time.

    The numbers rise with the time, but for what clocks differ by: they are bounded too, since every index is in their
    order, and a page would otherwise be looked for among all lines after or before the time.
    """
    if wanted.since:
        earlier = audit.c.at < _moved(wanted.since, -CLOCKS_APART)
        if (bound := _sequence(connection, earlier, audit.c.at.desc())) is not None:
            yield audit.c.sequence > bound
        yield audit.c.at >= wanted.since
    if wanted.until:
        later = audit.c.at >= _moved(wanted.until, CLOCKS_APART)
        if (bound := _sequence(connection, later, audit.c.at)) is not None:
            yield audit.c.sequence < bound
        yield audit.c.at < wanted.until


def _moved(moment: datetime, by: timedelta) -> datetime:
    return moment + by if MINYEAR < moment.year < MAXYEAR else moment


def _sequence(connection: Connection, where: ColumnElement[bool], order: ColumnElement[Any]) -> int | None:
    found = select(audit.c.sequence).where(where).order_by(order).limit(1)
    return connection.execute(found).scalar_one_or_none()
