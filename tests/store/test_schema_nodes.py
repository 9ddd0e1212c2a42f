"""The tables of nodes are made with the others."""

from sqlalchemy import inspect

from bothways.store.database import Database
from bothways.store.schema import metadata
from bothways.store.schema_nodes import node, node_certificate


def test_the_tables_are_a_part_of_the_one_schema(database: Database) -> None:
    assert {node, node_certificate} <= set(metadata.tables.values())
    with database.read() as connection:
        assert set(inspect(connection).get_table_names()) == set(metadata.tables)
