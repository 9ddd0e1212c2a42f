"""What is made in a new database: the tables of the one schema, and the triggers that keep rules about them."""

from sqlalchemy import Connection

from bothways.store import (
    append_only,
    indexes,
    schema,
    schema_api,
    schema_keys,
    schema_nodes,
    schema_people,
    schema_review,
    schema_sign_in,
    schema_statements,
    schema_under_way,
    touched,
    version,
)

# Each adds its tables or indexes to the one schema when it is imported.
_MODULES = (
    schema,
    schema_keys,
    schema_nodes,
    schema_people,
    schema_api,
    schema_review,
    schema_sign_in,
    schema_statements,
    indexes,
    version,
)
SCHEMA = schema.metadata
OBSERVATIONS = schema_under_way.metadata
"""In a file of their own beside SQLite, and in PostgreSQL beside all others."""


def make_tables(connection: Connection) -> None:
    """Make all tables and indexes, without a row."""
    for metadata in {each.metadata for each in _MODULES}:
        metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        OBSERVATIONS.create_all(connection)


def make_triggers(connection: Connection) -> None:
    """Make all triggers; what is in the tables before, they are not asked about."""
    touched.make_triggers(connection)
    append_only.make_triggers(connection, schema.audit)
