"""The tables of what customers submit about their servers, and what was decided; beside those in `schema`."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from bothways.store.instant import Instant
from bothways.store.schema import customer, metadata

chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False, index=True),
    Column("pem", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String(64)),
    Column("reason", Text),
    Column("spki_pins", Text, nullable=False),
)
# Whether a root is endorsed for somebody else is asked for each chain that comes.
Index("chains_by_root", chain.c.fingerprint)

# Servers that customers named themselves: each waits for the operator's review, or was decided about.
submitted_endpoint = Table(
    "submitted_endpoint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False, index=True),
    Column("host", String(253), nullable=False),
    Column("port", Integer, nullable=False),
    Column("path", String(1024), nullable=False),
    Column("state", String(16), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String(64)),
    Column("reason", Text),
)
# Nobody waits for a name that somebody else waits for, and a customer waits for one at a time.
for _column in (submitted_endpoint.c.host, submitted_endpoint.c.tsp_id):
    Index(
        f"one_{_column.name}_waits_once",
        _column,
        unique=True,
        sqlite_where=submitted_endpoint.c.state == "submitted",
        postgresql_where=submitted_endpoint.c.state == "submitted",
    )
