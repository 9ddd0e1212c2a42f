"""From each released schema, as the files in `released` have it, to the present one, on both kinds of database."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DatabaseError
from tests.eventually import eventually
from tests.postgresql import new_database, new_schema
from tests.store.introspection import contents, described
from tests.store.next_release import WORKS, become_next_release
from tests.store.released import files

from bothways.errors import Conflict, Unusable
from bothways.store import audit, migration, version
from bothways.store.audit_search import ALL, newest_first
from bothways.store.database import Database, Place, create, open_existing, open_older

KINDS = ("sqlite", "postgresql")
RELEASED = sorted({int(each.name.split(".")[0]) for each in files()})
NewPlace = Callable[[str], Place]


@pytest.fixture
def new_place(tmp_path: Path) -> NewPlace:
    """Return a maker of places for databases, with nothing in them."""
    return lambda kind: new_schema() if kind == "postgresql" else tmp_path / f"{len([*tmp_path.iterdir()])}.db"


def loaded(kind: str, release: int, new_place: NewPlace) -> Place:
    """Make a database as a release made it, with its rows."""
    [file] = [each for each in files() if each.name == f"{release}.{kind}.sql"]
    if kind == "postgresql":
        url = new_database()
        with psycopg.connect(url) as connection:
            connection.execute(file.read_bytes())
        return url
    place = new_place(kind)
    assert isinstance(place, Path)
    with closing(sqlite3.connect(place)) as connection:
        connection.executescript(file.read_text())
    return place


def migrated(place: Place, now: datetime) -> Database:
    database = open_older(place, "PPR")
    with database.rebuild(now, "tester") as transaction:
        migration.migrate(transaction)
    return database


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("release", RELEASED)
def test_what_a_release_made_becomes_what_is_made_now_and_keeps_its_rows(
    kind: str, release: int, new_place: NewPlace, now: datetime
) -> None:
    place = loaded(kind, release, new_place)
    with closing(open_older(place, "PPR")) as older, older.read() as connection:
        before = contents(connection)
    with closing(migrated(place, now)) as database, closing(create(new_place(kind), "PPR")) as fresh:
        with database.read() as connection, fresh.read() as other:
            assert described(connection) == described(other)
            after = contents(connection)
            assert audit.first_broken(connection) is None
            [last] = newest_first(connection, ALL, 0, 1)
        open_existing(place, "PPR").close()
    assert [dict(row)["version_num"] for row in after.pop("schema_version")] == [str(version.VERSION)]
    # Those of this release are so already.
    assert (last["action"] == "hub.migrate") is (release < version.VERSION)
    assert len(after["audit"]) == len(before["audit"]) + (release < version.VERSION)
    for table in before.keys() - {"schema_version", "hub"}:
        assert before[table], f"{table} had no rows, so that nothing was proved"
        kept = {frozenset(row) for row in after[table]}
        assert all(any(frozenset(row) <= each for each in kept) for row in before[table]), f"rows of {table} are lost"


@pytest.mark.parametrize("kind", KINDS)
def test_the_revisions_make_what_the_tables_of_the_code_say(kind: str, new_place: NewPlace, now: datetime) -> None:
    with closing(Database(new_place(kind))) as database, closing(create(new_place(kind), "PPR")) as fresh:
        with database.rebuild(now, "tester") as transaction:
            migration.upgrade(transaction.connection)
            # What a commit counts in.
            transaction.connection.exec_driver_sql("INSERT INTO hub (environment) VALUES ('PPR')")
        with database.read() as connection, fresh.read() as other:
            found, wanted = described(connection), described(other)
    assert found == wanted, (
        "the tables in store/schema*.py and the revisions differ: add one to store/revisions/versions, and raise "
        "VERSION in store/version.py; see CONTRIBUTING.md"
    )


def test_the_last_revision_is_the_one_that_the_code_works_with() -> None:
    numbers = [each.version for each in migration.steps_after(0)]
    assert numbers == list(range(1, version.VERSION + 1))
    assert all(each.text.endswith(".") for each in migration.steps_after(0))


def test_each_released_schema_is_kept_for_both_kinds() -> None:
    assert {each.name for each in files()} == {f"{release}.{kind}.sql" for release in RELEASED for kind in KINDS}
    assert RELEASED[0] == 1


BREAKING = {
    "an error": "raise LookupError('in the middle')",
    "a statement": "op.execute('INSERT INTO nowhere VALUES (1)')",
    "a line of the audit": 'op.execute("DROP TRIGGER no_update_of_audit ON audit" if op.get_bind().dialect.name == '
    "'postgresql' else 'DROP TRIGGER no_update_of_audit')\n    op.execute(\"UPDATE audit SET actor = 'nobody'\")",
    "a reference": "op.execute('DELETE FROM customer')",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", BREAKING)
def test_one_that_fails_leaves_everything_as_it_was(
    kind: str, what: str, new_place: NewPlace, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = loaded(kind, RELEASED[-1], new_place)
    with closing(open_older(place, "PPR")) as database:
        with database.read() as connection:
            before: Any = described(connection), contents(connection)
        become_next_release(tmp_path, monkeypatch, f"{WORKS}\n    {BREAKING[what]}")
        with (
            pytest.raises((LookupError, DatabaseError, Unusable)),
            database.rebuild(now, "tester") as transaction,
        ):
            migration.migrate(transaction)
        with database.read() as connection:
            assert (described(connection), contents(connection)) == before


def test_no_hub_works_on_it_meanwhile(now: datetime) -> None:
    with closing(create(new_schema(), "PPR")) as database:
        changes = database.changes()
        changes.value()
        with pytest.raises(Conflict, match="a hub works on this database"), database.rebuild(now, "tester"):
            pass
        changes.close()

        def rebuilt() -> bool:
            try:
                with database.rebuild(now, "tester") as transaction:
                    transaction.connection.exec_driver_sql("UPDATE schema_version SET version_num = '0'")
            except Conflict:
                # The server gives up a session's locks a moment after the connection is closed.
                return False
            return True

        eventually(rebuilt)
        with closing(database.changes()) as later, pytest.raises(Unusable, match="bothways hub migrate"):
            later.value()
