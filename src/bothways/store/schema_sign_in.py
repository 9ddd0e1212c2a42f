"""The tables of sign-in: what people prove who they are with, their invitations and their sessions."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table

from bothways.store.instant import Instant
from bothways.store.schema import metadata
from bothways.store.schema_people import person

# `totp` is sealed with the passphrase of the hub; `totp_step` is the last 30 seconds whose code was used: none twice.
account = Table(
    "account",
    metadata,
    Column("person_id", ForeignKey(person.c.id), primary_key=True),
    Column("password", String(256), nullable=False),
    Column("totp", LargeBinary, nullable=False),
    Column("totp_step", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
)

# `digest` is the SHA-256 of the token in the link, which is stored nowhere. The row goes when the link was used.
# `code` is the SHA-256 of what a second person adds to the link, where it takes two.
invitation = Table(
    "invitation",
    metadata,
    Column("person_id", ForeignKey(person.c.id), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("totp", LargeBinary, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("code", String(64)),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey(person.c.id), nullable=False, index=True),
    Column("credential", LargeBinary, nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("used_at", Instant),
)

# `digest` is the SHA-256 of the cookie, `csrf` what each form of the session carries.
session = Table(
    "session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("csrf", String(64), nullable=False),
    Column("person_id", ForeignKey(person.c.id), nullable=False, index=True),
    Column("source", String(64), nullable=False),
    Column("browser", String(200), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("used_at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
)
