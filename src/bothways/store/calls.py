"""Which customers the nodes have loaded, and when each was called last: beside the observations, and as expendable.

A customer is there from the first call on until it is let go. What is lost is only put off: nodes report again and
again what they have loaded.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Insert, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from bothways.store.database import Transaction
from bothways.store.schema_observations import last_call


def called(transaction: Transaction, tsp_ids: Collection[str]) -> None:
    """Record that these customers are called now."""
    new = _new(transaction.connection)
    newest = new.on_conflict_do_update(index_elements=[last_call.c.tsp_id], set_={"last_at": transaction.now})
    _insert(transaction, newest, tsp_ids)


def loaded(transaction: Transaction, tsp_ids: Collection[str]) -> None:
    """Record that some node has loaded these customers: one that is not there yet counts as called now."""
    _insert(transaction, _new(transaction.connection).on_conflict_do_nothing(), tsp_ids)


def idle_since(connection: Connection, moment: datetime, limit: int) -> tuple[str, ...]:
    """Return customers that nobody called since then, by tspId, so many at most."""
    query = select(last_call.c.tsp_id).where(last_call.c.last_at <= moment).order_by(last_call.c.tsp_id).limit(limit)
    return tuple(connection.execute(query).scalars())


def is_loaded(connection: Connection, tsp_id: str) -> bool:
    """Tell whether some node has loaded this customer, for all that is known."""
    return connection.execute(select(last_call.c.tsp_id).where(last_call.c.tsp_id == tsp_id)).first() is not None


def forget(transaction: Transaction, tsp_ids: Collection[str]) -> None:
    """Forget these customers, which no node has loaded any more."""
    transaction.connection.execute(delete(last_call).where(last_call.c.tsp_id.in_(list(tsp_ids))))


def _new(connection: Connection) -> Any:
    # The same words on both, and no common place for them.
    return (postgresql if connection.dialect.name == postgresql.dialect.name else sqlite).insert(last_call)


def _insert(transaction: Transaction, statement: Insert, tsp_ids: Collection[str]) -> None:
    if tsp_ids:
        # In one order: two control planes that store the same must not wait for each other.
        rows = [{"tsp_id": each, "last_at": transaction.now} for each in sorted(tsp_ids)]
        transaction.connection.execute(statement, rows)
