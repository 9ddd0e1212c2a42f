from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError
from tests.postgresql import new_schema

from bothways.store.database import Database
from bothways.store.trigger import make_trigger, refusal, triggers


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, path: Path) -> Database:
    """A database of either kind with nothing in it but two tables."""
    return Database(path if request.param == "sqlite" else new_schema(), told=False)


def test_a_trigger_runs_for_each_row_and_can_refuse(bare: Database, now: datetime) -> None:
    with bare.write(now, "tester") as transaction:
        connection = transaction.connection
        connection.exec_driver_sql("CREATE TABLE one (name TEXT)")
        connection.exec_driver_sql("CREATE TABLE other (name TEXT)")
        make_trigger(connection, "copied", "AFTER INSERT ON one", "INSERT INTO other (name) VALUES (NEW.name)")
        make_trigger(connection, "kept", "BEFORE DELETE ON one", refusal(connection, "one is kept"))
        assert triggers(connection) == {"copied", "kept"}
        connection.exec_driver_sql("INSERT INTO one (name) VALUES ('a'), ('b')")
        assert connection.exec_driver_sql("SELECT count(*) FROM other").scalar_one() == 2
    with pytest.raises(DatabaseError, match="one is kept"), bare.write(now, "tester") as transaction:
        transaction.connection.exec_driver_sql("DELETE FROM one")
    bare.close()
