from datetime import datetime
from pathlib import Path

import pytest
from tests.store.next_release import become_next_release

from bothways.store import migration, version
from bothways.store.database import Database


def test_the_revisions_are_run_in_the_transaction_that_is_open(
    database: Database, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version.VERSION
    become_next_release(tmp_path, monkeypatch)

    def undone() -> None:
        with database.rebuild(now, "tester") as transaction:
            migration.upgrade(transaction.connection)
            assert version.found(transaction.connection, "it") == before + 1
            raise LookupError

    with pytest.raises(LookupError):
        undone()
    with database.read() as connection:
        assert version.found(connection, "it") == before
