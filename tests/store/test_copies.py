import sqlite3
import stat
import threading
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from bothways.errors import Conflict, Unusable
from bothways.store import audit
from bothways.store.copies import copy_database, unsound
from bothways.store.database import Database, open_existing


def test_a_copy_is_one_sound_state_while_others_write(database: Database, path: Path, now: datetime) -> None:
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            with database.write(now, "tester") as transaction:
                transaction.audit_all([audit.Line("hub.backup", str(number)) for number in range(7)])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy_database(path, path.with_name(f"copy-{number}"))
    finally:
        ended.set()
        writer.join()
    for number in range(5):
        copy = path.with_name(f"copy-{number}")
        assert unsound(copy) == ""
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        opened = open_existing(copy, "PPR")
        with opened.read() as connection:
            # Each transaction wrote seven lines, or is not there.
            assert audit.last(connection)[0] % 7 == 0
            assert audit.first_broken(connection) is None
        opened.close()


def test_a_copy_overwrites_nothing(database: Database, path: Path) -> None:
    assert database
    path.with_name("copy").write_text("mine")
    with pytest.raises(Conflict):
        copy_database(path, path.with_name("copy"))
    assert path.with_name("copy").read_text() == "mine"


def test_what_cannot_be_copied_is_said(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"no database, whatever it is called" * 100)
    with pytest.raises(Unusable, match="cannot be copied"):
        copy_database(tmp_path / "hub.db", tmp_path / "copy")


def test_a_damaged_page_and_a_broken_reference_are_found(database: Database, path: Path) -> None:
    database.close()
    copy_database(path, path.with_name("copy"))
    with closing(sqlite3.connect(path.with_name("copy"))) as connection:
        connection.execute("INSERT INTO granted VALUES ('nothing', 'nobody', 0)")
        connection.commit()
    assert unsound(path.with_name("copy")).startswith("a row of granted refers to nothing in ")
    path.with_name("copy").write_bytes(b"x" * 4096)
    assert unsound(path.with_name("copy"))
