"""Triggers, as either database wants them written."""

from sqlalchemy import Connection


def make_trigger(connection: Connection, name: str, when: str, statement: str, each: str = "ROW") -> None:
    """Make a trigger, like `AFTER INSERT ON customer`, that runs one statement for each row.

    Or, in PostgreSQL, once for each `STATEMENT`.
    """
    if connection.dialect.name == "postgresql":
        body = f"BEGIN {statement}; RETURN NULL; END"
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
        )
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {when} FOR EACH {each} EXECUTE FUNCTION {name}()")
    else:
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {when} BEGIN {statement}; END")


def refusal(connection: Connection, why: str) -> str:
    """Return the statement with which a trigger refuses what is done; `why` is a sentence without quotes."""
    return f"RAISE EXCEPTION '{why}'" if connection.dialect.name == "postgresql" else f"SELECT RAISE(ABORT, '{why}')"


def triggers(connection: Connection) -> frozenset[str]:
    """Return the names of the triggers that are there and at work."""
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND relnamespace = current_schema()::regnamespace"
        )
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    return frozenset(connection.exec_driver_sql(query).scalars())
