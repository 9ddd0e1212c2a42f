"""The customers that are shown an earlier certificate of the hub, for they refused a newer one; in the database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from bothways.store.database import Transaction
from bothways.store.schema_credentials import held


@dataclass(frozen=True, slots=True)
class Hold:
    """A customer, the certificate that it is shown (`credential` in `authorities`), since when, and why."""

    tsp_id: str
    credential_id: int
    since: datetime
    reason: str


def add(transaction: Transaction, tsp_id: str, credential_id: int, reason: str) -> None:
    """Have a customer shown this certificate, whatever the others are shown, in place of what it was held at before."""
    release(transaction, tsp_id)
    transaction.connection.execute(
        insert(held).values(tsp_id=tsp_id, credential_id=credential_id, since=transaction.now, reason=reason)
    )


def release(transaction: Transaction, tsp_id: str) -> bool:
    """Have a customer shown what the others are; return False if it was not held."""
    return bool(transaction.connection.execute(delete(held).where(held.c.tsp_id == tsp_id)).rowcount)


def many(connection: Connection, tsp_ids: Collection[str] | None = None) -> dict[str, Hold]:
    """Return the holds of these customers, or of all, by tspId."""
    query = select(held) if tsp_ids is None else select(held).where(held.c.tsp_id.in_(tsp_ids))
    rows = connection.execute(query.order_by(held.c.tsp_id))
    return {row.tsp_id: Hold(row.tsp_id, row.credential_id, row.since, row.reason) for row in rows}
