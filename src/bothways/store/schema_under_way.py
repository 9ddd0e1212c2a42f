"""The table of what control planes have under way: where those of observations are, for it wakes nobody."""

from sqlalchemy import Column, String, Table, Text

from bothways.store.instant import Instant
from bothways.store.schema_fleet import metadata

__all__ = ["metadata"]

# What one control plane does, so that each can say how far it is. `told_at` is by the clock of the database.
under_way = Table(
    "under_way",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("told_at", Instant, nullable=False, index=True),
    # How it stands, in JSON.
    Column("document", Text, nullable=False),
)
