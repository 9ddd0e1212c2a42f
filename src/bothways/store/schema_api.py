"""The table of what the API answered under idempotency keys; it belongs to the one schema, and is made with it."""

from sqlalchemy import Column, Integer, String, Table, Text

from bothways.store.instant import Instant
from bothways.store.schema import metadata

# `status` is None from the moment that the work is begun until its answer is known.
answered = Table(
    "answered",
    metadata,
    Column("principal", String(254), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("status", Integer),
    # None if it held a secret, which is shown once and stored nowhere.
    Column("answer", Text),
)
