from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from tests.postgresql import new_schema
from tests.store.introspection import described
from tests.store.released import files

from bothways.store import migration
from bothways.store.database import Database

MADE = {"sqlite": "CREATE TABLE", "postgresql": "CREATE TABLE public."}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_it_makes_the_tables_of_the_first_release(
    kind: str, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without those that came later.
    only = tmp_path / "revisions"
    (only / "versions").mkdir(parents=True)
    for each in (migration.REVISIONS / "env.py", *migration.REVISIONS.glob("versions/first*")):
        (only / each.relative_to(migration.REVISIONS)).write_text(each.read_text())
    monkeypatch.setattr(migration, "REVISIONS", only)
    place = tmp_path / "hub.db" if kind == "sqlite" else new_schema()
    with closing(Database(place)) as database, database.rebuild(now, "tester") as transaction:
        migration.upgrade(transaction.connection)
        transaction.connection.exec_driver_sql("INSERT INTO hub (environment) VALUES ('PPR')")
        found = described(transaction.connection)
    [released] = [each.read_text() for each in files() if each.name == f"1.{kind}.sql"]
    assert released.count("CREATE TRIGGER") == len(found["triggers"]) > 30
    tables = found.keys() - {"triggers"} if kind == "sqlite" else {each.split()[0] for each in found["constraints"]}
    for table in tables:
        assert f"{MADE[kind]}{' ' if kind == 'sqlite' else ''}{table} (" in released.replace('"', "")
