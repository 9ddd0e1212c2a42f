"""The tables of how the nodes stand: where those of observations are, for they change all the time and wake nobody."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from bothways.store.instant import Instant
from bothways.store.schema_observations import metadata

__all__ = ["metadata"]

# One run of a control plane, from its start to its end. `seen_at` is its heartbeat, by the clock of the database.
control_plane = Table(
    "control_plane",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(300), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    # Up to which change of the database all of its nodes have confirmed; up to which they have confirmed or refused.
    Column("confirmed", BigInteger, nullable=False),
    Column("answered", BigInteger, nullable=False),
)

# What a control plane last said of a node that is, or was, connected to it: once for each connection.
node_status = Table(
    "node_status",
    metadata,
    Column("control_plane", ForeignKey(control_plane.c.id), primary_key=True),
    Column("connection", Integer, primary_key=True, autoincrement=False),
    # As in the status of the hub, in JSON.
    Column("document", Text, nullable=False),
)

# Whose servers a control plane probes now, so that the nodes of all know the way to them.
probed = Table(
    "probed",
    metadata,
    Column("control_plane", ForeignKey(control_plane.c.id), primary_key=True),
    Column("tsp_id", String(32), primary_key=True),
)
