"""Tables whose rows nobody changes or takes out: the database itself refuses it, whoever asks.

That stops mistakes, and whoever got hold of a connection of ours. Who owns the file can take the triggers out: what is
done then, the hashes and the signed head find.
"""

from sqlalchemy import Connection, Table

from bothways.store.trigger import make_trigger, refusal, triggers


def make_triggers(connection: Connection, table: Table) -> None:
    """Make the triggers of a new database that refuse to change, to replace or to take out a row of the table."""
    refused = refusal(connection, f"{table.name} is append-only")
    for change, (condition, each) in _changes(connection, table).items():
        when = f"BEFORE {change} ON {table.name}{condition}"
        make_trigger(connection, _name(table, change), when, refused, each)


def trigger_names(connection: Connection, table: Table) -> tuple[str, ...]:
    """Return the names of the triggers of a table, as this kind of database has them."""
    return tuple(_name(table, change) for change in _changes(connection, table))


def missing_triggers(connection: Connection, table: Table) -> tuple[str, ...]:
    """Return which of the triggers of a table somebody took out."""
    found = triggers(connection)
    return tuple(name for name in trigger_names(connection, table) if name not in found)


def _changes(connection: Connection, table: Table) -> dict[str, tuple[str, str]]:
    """Return what is refused: under which condition, and asked of each row or once of each statement.

    SQLite asks nobody about a row that another one replaces (INSERT OR REPLACE), PostgreSQL nobody about each row of a
    table that is emptied (TRUNCATE).
    """
    changes = {"UPDATE": ("", "ROW"), "DELETE": ("", "ROW")}
    if connection.dialect.name == "postgresql":
        return changes | {"TRUNCATE": ("", "STATEMENT")}
    [key] = table.primary_key.columns
    there = f" WHEN EXISTS (SELECT 1 FROM {table.name} WHERE {key.name} = NEW.{key.name})"  # noqa: S608 - names of ours
    return changes | {"INSERT": (there, "ROW")}


def _name(table: Table, change: str) -> str:
    return f"no_{change.lower()}_of_{table.name}"
