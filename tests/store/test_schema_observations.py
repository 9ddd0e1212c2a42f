import sqlite3
from contextlib import closing
from pathlib import Path

from tests.postgresql import new_schema

from bothways.store import schema_observations
from bothways.store.database import Database, create
from bothways.store.observations import ObservationStore

TABLES = {each.name for each in schema_observations.metadata.sorted_tables}


def test_beside_sqlite_they_are_in_a_file_of_their_own(database: Database, path: Path) -> None:
    with closing(ObservationStore(path.with_name("observations.db"))) as store, store.read() as connection:
        names = set(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars())
    assert names - {"sqlite_sequence"} == TABLES
    assert database.place == path
    with closing(sqlite3.connect(path)) as connection:
        assert TABLES.isdisjoint(row[0] for row in connection.execute("SELECT name FROM sqlite_master"))


def test_in_postgresql_they_are_in_the_one_database() -> None:
    url = new_schema()
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    with closing(create(url, "PPR")), closing(ObservationStore(url)) as store, store.read() as connection:
        assert set(connection.exec_driver_sql(query).scalars()) > TABLES
