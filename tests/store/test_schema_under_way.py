"""What is under way and who is probed has tables beside the observations, in the file of an earlier release too."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from bothways.store import fleet, under_way
from bothways.store.observations import ObservationStore
from bothways.store.schema_observations import source


def test_a_file_of_an_earlier_release_gets_them_and_keeps_what_it_has(tmp_path: Path, now: datetime) -> None:
    path = tmp_path / "observations.db"
    with closing(ObservationStore(path)) as store, store.write(now) as transaction:
        transaction.connection.execute(insert(source).values(address="192.0.2.1", tsp_id="1", last_at=now))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE under_way; DROP TABLE probed; PRAGMA user_version = 3")
    with closing(ObservationStore(path)) as store:
        with store.write(now) as transaction:
            under_way.tell(transaction, "probe", {"1": {}})
            fleet.begin(transaction, "a", "hub-1:8444")
        with store.read() as connection:
            assert connection.execute(select(source.c.address)).scalars().all() == ["192.0.2.1"]
            assert under_way.documents(connection, "probe", ["1", "2"]) == {"1": {}}
