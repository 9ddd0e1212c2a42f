"""The tables of remote nodes; they belong to the one schema, and are made with it."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from bothways.store.instant import Instant
from bothways.store.schema import authority, metadata

# Remote Envoys. A name is free again once its node was withdrawn; what the withdrawn one had opens nothing.
node = Table(
    "node",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(63), nullable=False),
    Column("inbound_address", String(45), nullable=False),
    Column("inbound_port", Integer, nullable=False),
    Column("egress_address", String(45), nullable=False),
    Column("egress_port", Integer, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    # HOST:PORT at which the control plane reaches its endpoint, if that is not where it binds.
    Column("reached_at", String(261)),
)
Index(
    "one_node_once",
    node.c.name,
    unique=True,
    sqlite_where=node.c.withdrawn_at.is_(None),
    postgresql_where=node.c.withdrawn_at.is_(None),
)

# What a node shows to the control plane; its key was made for it, and is not here.
node_certificate = Table(
    "node_certificate",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("serial", String(40), nullable=False, unique=True),
    Column("node_id", ForeignKey(node.c.id), nullable=False),
    Column("authority_id", ForeignKey(authority.c.id), nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("der", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("used_at", Instant),
)
