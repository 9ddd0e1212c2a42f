"""Which revision of the schema a database has: what `revisions` holds, and what is done about another one."""

from pathlib import Path

from sqlalchemy import Column, Connection, PrimaryKeyConstraint, String, Table, inspect, select

from bothways.errors import Unusable
from bothways.store.schema import hub, metadata

VERSION = 17
"""The revision that this code works with, the last one in `revisions/versions`."""

# Alembic's own table, under our name: one row, with the revision that was applied last.
table = Table(
    "schema_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="schema_version_pkc"),
)


def found(connection: Connection, place: object) -> int:
    """Return the revision that the database has. Raises `Unusable` if it holds no hub, or none of a release."""
    tables = inspect(connection)
    if not tables.has_table(hub.name):
        raise Unusable(f"{place} is a database, but holds no hub. Restore it from a backup.")
    said = connection.execute(select(table.c.version_num)).scalars().all() if tables.has_table(table.name) else []
    if len(said) != 1 or not said[0].isdecimal():
        raise Unusable(
            f"{place} does not say which schema it has, wanted {VERSION}; so do those of the time before the first "
            "release. Use the bothways that made it, or restore it from a backup."
        )
    return int(said[0])


def require_present(connection: Connection, place: object) -> None:
    """Raise `Unusable` if the database has another revision than this code works with, with what to do."""
    if (version := require_not_newer(connection, place)) < VERSION:
        where = f" --directory {place.parent}" if isinstance(place, Path) else ""
        raise Unusable(
            f"{place} has the schema {version}, wanted {VERSION}: an earlier bothways made it. "
            f"End the hub, then bring it up to date: bothways hub migrate{where}"
        )


def require_not_newer(connection: Connection, place: object) -> int:
    """Return the revision that the database has. Raises `Unusable` if it is a later one: nobody goes back."""
    if (version := found(connection, place)) > VERSION:
        raise Unusable(
            f"{place} has the schema {version}, and this bothways knows none after {VERSION}: a newer one migrated it. "
            "Use that one, or the copy that was kept before it."
        )
    return version
