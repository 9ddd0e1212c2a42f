"""The table of what was proposed and waits for a second person; it belongs to the one schema, and is made with it."""

from sqlalchemy import Column, Integer, String, Table, Text

from bothways.store.instant import Instant
from bothways.store.schema import metadata

# `kind` and `number` name a request, a chain, a submitted endpoint, a person, or a person's invitation.
proposal = Table(
    "proposal",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("person", String(254), nullable=False),
    Column("at", Instant, nullable=False),
    # How it is to be decided, as JSON: what the second person confirms. Empty if there is one way alone, or none said.
    Column("terms", Text, nullable=False),
)
