"""The table of the hub's private keys; it belongs to the one schema, and is made with it."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table

from bothways.store.instant import Instant
from bothways.store.schema import metadata

# Each encrypted with the passphrase (PKCS #8), which is never in the database; `passphrase` is its version.
sealed_key = Table(
    "sealed_key",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("passphrase", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
)
