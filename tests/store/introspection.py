"""What the database itself says of its tables, to compare two of the same kind; the order of columns says nothing."""

import re
from typing import Any

from sqlalchemy import Connection

_POSTGRESQL = {
    "columns": "SELECT table_name || '.' || column_name, data_type, character_maximum_length, is_nullable, "
    "column_default FROM information_schema.columns WHERE table_schema = current_schema()",
    "constraints": "SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = current_schema()::regnamespace AND contype != 'n'",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
    "triggers": "SELECT tgname, pg_get_triggerdef(pg_trigger.oid), tgenabled FROM pg_trigger "
    "JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace",
    "functions": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc "
    "WHERE pronamespace = current_schema()::regnamespace",
    "sequences": "SELECT sequencename, data_type, increment_by FROM pg_sequences WHERE schemaname = current_schema()",
}


def described(connection: Connection) -> dict[str, Any]:
    """Return all that makes the schema: columns, keys, references, indexes with their conditions, and triggers."""
    if connection.dialect.name == "sqlite":
        return _of_sqlite(connection)
    schema = connection.exec_driver_sql("SELECT current_schema()").scalar_one()

    def plain(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        # A condition is written with other casts once it was dumped and loaded.
        return re.sub(r"::(character varying|text)(\[\])?|[()]", "", value.replace(f"{schema}.", ""))

    return {
        kind: {plain(row[0]): tuple(plain(each) for each in row[1:]) for row in connection.exec_driver_sql(query)}
        for kind, query in _POSTGRESQL.items()
    }


def _of_sqlite(connection: Connection) -> dict[str, Any]:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(query)]

    def spaced(text: str | None) -> str:
        return re.sub(r"\s+", " ", text or "").strip()

    made = rows("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    texts = {name: spaced(sql) for kind, name, sql in made if kind == "index"}
    tables = {name: sql for kind, name, sql in made if kind == "table"}
    found: dict[str, Any] = {"triggers": {name: spaced(sql) for kind, name, sql in made if kind == "trigger"}}
    for name, sql in tables.items():
        # Those of constraints have a name by number, and no text.
        indexes = {
            f"{texts.get(index) or origin}: {rows(f'PRAGMA index_xinfo({index!r})')}, unique {unique}"
            for _, index, unique, origin, _ in rows(f"PRAGMA index_list({name!r})")
        }
        found[name] = {
            "columns": {row[1]: row[2:] for row in rows(f"PRAGMA table_xinfo('{name}')")},
            "references": {row[2:] for row in rows(f"PRAGMA foreign_key_list('{name}')")},
            "indexes": indexes,
            # Which is in no PRAGMA.
            "checks": re.findall(r"CHECK \(.*?\)", sql),
            "autoincrement": "AUTOINCREMENT" in sql,
        }
    return found


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, each as pairs of column and value, in one order."""
    tables = (
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        if connection.dialect.name == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    found = {}
    for table in connection.exec_driver_sql(tables).scalars().all():
        rows = connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()  # noqa: S608 - a name of ours
        found[table] = sorted((tuple(sorted(row.items())) for row in rows), key=repr)
    return found
