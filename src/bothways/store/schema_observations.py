"""The tables of observations: in a file of their own beside SQLite, in the one database with PostgreSQL."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text

from bothways.store.instant import Instant

metadata = MetaData()

observation = Table(
    "observation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("same", String(64), nullable=False, index=True),
    Column("tsp_id", String(32)),
    Column("proved", Boolean, nullable=False),
    Column("matched_by", String(16)),
    Column("finding", String(32), nullable=False),
    Column("level", String(16), nullable=False),
    Column("message", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("citation", Text, nullable=False),
    Column("source", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("calls", Integer, nullable=False),
    # An id that was used is never used again: cursors of pages stay right.
    sqlite_autoincrement=True,
)
Index("observation_of", observation.c.tsp_id, observation.c.proved, observation.c.id)
Index("observation_last", observation.c.last_at)

# When the customers were called last whose servers nodes have loaded; none that was let go.
last_call = Table(
    "last_call",
    metadata,
    Column("tsp_id", String(32), primary_key=True),
    Column("last_at", Instant, nullable=False, index=True),
)

source = Table(
    "source",
    metadata,
    Column("address", String(64), primary_key=True),
    Column("tsp_id", String(32), primary_key=True),
    Column("last_at", Instant, nullable=False, index=True),
)
