from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect
from tests.postgresql import new_schema

from bothways.store import migration
from bothways.store.database import Database


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nodes_have_a_place_where_they_are_reached_and_postgresql_has_the_tables(
    kind: str, now: datetime, tmp_path: Path
) -> None:
    place = tmp_path / "hub.db" if kind == "sqlite" else new_schema()
    with closing(Database(place)) as database, database.rebuild(now, "tester") as transaction:
        migration.upgrade(transaction.connection)
        transaction.connection.exec_driver_sql("INSERT INTO hub (environment) VALUES ('PPR')")
        found = inspect(transaction.connection)
        assert "reached_at" in {each["name"] for each in found.get_columns("node")}
        assert found.has_table("control_plane") is found.has_table("node_status") is (kind == "postgresql")
