"""The tables of what the hub states and hands out: keys for statements, bundles, contracts, and the numbers of CRLs.

They belong to the one schema, and are made with it.
"""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from bothways.store.instant import Instant
from bothways.store.schema import authority, customer, metadata

# A key that signs statements, one for each purpose (`audit`, `bundle`); never a CA's.
statement_key = Table(
    "statement_key",
    metadata,
    Column("purpose", String(16), primary_key=True),
    Column("key_name", String(64), nullable=False),
    # SubjectPublicKeyInfo in DER.
    Column("public_key", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
)

# The bundles that were handed out, each with the name that an answer has to give; one is answered once.
bundle = Table(
    "bundle",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False, index=True),
    Column("fingerprint", String(64), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("answered_at", Instant),
    # The fingerprint of the answer.
    Column("answer", String(64)),
)

# When a customer was last seen to have the contract that was in force, and by what.
contract_taken = Table(
    "contract_taken",
    metadata,
    Column("tsp_id", ForeignKey(customer.c.tsp_id), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("way", String(16), nullable=False),
)

# The number that the next CRL of a CA has at least: after a restore, higher than any that was published meanwhile.
revocation_list_floor = Table(
    "revocation_list_floor",
    metadata,
    Column("authority_id", ForeignKey(authority.c.id), primary_key=True),
    Column("number", Integer, nullable=False),
)
