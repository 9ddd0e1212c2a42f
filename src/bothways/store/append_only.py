"""Tables whose rows nobody changes or takes out: the database itself refuses it, whoever asks.

That stops mistakes, and whoever got hold of a connection of ours. Who owns the file can take the triggers out: what is
done then, the hashes and the signed head find.
"""

from sqlalchemy import Connection, Table

from bothways.store.trigger import make_trigger, refusal, triggers


def make_triggers(connection: Connection, table: Table) -> None:
    """Make the triggers of a new database that refuse to change or to take out a row of the table."""
    for change in ("UPDATE", "DELETE"):
        refused = refusal(connection, f"{table.name} is append-only")
        make_trigger(connection, trigger_name(table, change), f"BEFORE {change} ON {table.name}", refused)


def trigger_name(table: Table, change: str) -> str:
    """Return the name of the trigger that refuses `UPDATE` or `DELETE`."""
    return f"no_{change.lower()}_of_{table.name}"


def missing_triggers(connection: Connection, table: Table) -> tuple[str, ...]:
    """Return which of the triggers of a table somebody took out."""
    found = triggers(connection)
    return tuple(name for change in ("UPDATE", "DELETE") if (name := trigger_name(table, change)) not in found)
