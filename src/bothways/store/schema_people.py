"""The tables of people; they belong to the one schema, and are made with it."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from bothways.store.instant import Instant
from bothways.store.schema import customer, metadata

# A person who was disabled stays on record, for the audit names them; the e-mail address is free again.
person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(254), nullable=False),
    Column("name", String(100), nullable=False),
    Column("role", String(32), nullable=False),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), index=True),
    Column("os_user", String(64)),
    Column("added_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)
for _column in (person.c.email, person.c.os_user):
    Index(
        f"one_active_person_by_{_column.name}",
        _column,
        unique=True,
        sqlite_where=person.c.disabled_at.is_(None),
        postgresql_where=person.c.disabled_at.is_(None),
    )
