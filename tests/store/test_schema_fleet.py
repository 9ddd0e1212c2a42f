"""The tables of how the nodes stand are where the observations are, in the file of an earlier release too."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from bothways.store import fleet
from bothways.store.observations import ObservationStore
from bothways.store.schema_fleet import control_plane, metadata, node_status, probed
from bothways.store.schema_observations import last_call, observation, source
from bothways.store.schema_under_way import under_way


def test_they_are_with_the_observations_and_not_with_what_wakes_the_publisher() -> None:
    assert {*metadata.tables.values()} == {
        observation,
        last_call,
        source,
        control_plane,
        node_status,
        probed,
        under_way,
    }


def test_a_file_of_an_earlier_release_gets_them_and_keeps_what_it_has(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "observations.db"
    with closing(ObservationStore(path)) as store, store.write(now) as transaction:
        transaction.connection.execute(insert(source).values(address="192.0.2.1", tsp_id="1", last_at=now))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "DROP TABLE node_status; DROP TABLE probed; DROP TABLE control_plane; PRAGMA user_version = 1"
        )
    with closing(ObservationStore(path)) as store:
        with store.write(now) as transaction:
            fleet.begin(transaction, "a", "hub-1:8444")
        with store.read() as connection:
            assert connection.execute(select(source.c.address)).scalars().all() == ["192.0.2.1"]
            assert [each.name for each in fleet.told(connection, now)] == ["hub-1:8444"]
