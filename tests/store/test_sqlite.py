import stat
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bothways.errors import Conflict, Unusable
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import customers, sqlite
from bothways.store.database import Database


def add(database: Database, now: datetime, tsp_id: str) -> None:
    with database.write(now, "tester") as transaction:
        customers.add(transaction, Customer(tsp_id, CustomerKind.ISSUER, "First Bank", now))


def test_each_commit_is_on_disk_when_it_returns(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_others_changes_are_seen_and_nothing_else(database: Database, now: datetime) -> None:
    with closing(database.changes()) as changes:
        before = changes.value()
        with database.read() as connection:
            customers.every(connection)
        with database.write(now, "tester"):
            pass
        assert changes.value() == before
        add(database, now, "1")
        after = changes.value()
        assert after != before
        assert changes.value() == after


def test_the_database_and_its_log_are_for_this_user_alone(database: Database, path: Path, now: datetime) -> None:
    add(database, now, "1")
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"hub.db": 0o600, "hub.db-wal": 0o600, "hub.db-shm": 0o600}


def test_a_new_database_takes_no_file_that_is_there_and_an_old_one_makes_none(path: Path) -> None:
    with pytest.raises(Unusable, match="bothways hub init"):
        sqlite.require_there(path)
    path.touch()
    sqlite.require_there(path)
    with pytest.raises(Conflict, match="exists already"):
        sqlite.require_free(path)


def test_damage_is_told_from_other_mishaps() -> None:
    assert sqlite.is_damage("file is not a database")
    assert sqlite.is_damage("database disk image is malformed")
    assert not sqlite.is_damage("database is locked")


def test_the_turn_is_the_one_hubs_that_there_is(database: Database) -> None:
    with closing(database.turn()) as turn:
        assert turn.mine()
