import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.postgresql import in_files, new_schema, on_postgresql
from tests.store.next_release import become_next_release

from bothways.errors import Conflict, Unusable
from bothways.operations.alone import alone
from bothways.operations.audit import verify_audit
from bothways.operations.audit_head import sign_head
from bothways.operations.backup import backup_hub
from bothways.operations.customers import list_customers
from bothways.operations.hub import Hub, open_hub
from bothways.operations.migration import migrate_hub, plan_migration
from bothways.operations.restore import restore_hub
from bothways.operations.settings import Settings
from bothways.store import version
from bothways.store.database import open_existing

PASSPHRASE = b"the passphrase of backups"


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Where the others are, but for a test that asks for PostgreSQL."""
    wanted = getattr(request, "param", "") == "postgresql"
    return replace(settings, database=new_schema()) if wanted else settings


def test_a_hub_of_this_release_is_left_as_it_is(hub: Hub) -> None:
    before = {each.name for each in hub.directory.iterdir()}
    done = migrate_hub(hub.directory, "tester")
    assert (done.found, done.wanted, done.steps, done.kept) == (version.VERSION, version.VERSION, (), None)
    assert {each.name for each in hub.directory.iterdir()} == before


def test_a_hub_of_the_release_before_is_refused_planned_migrated_and_whole(
    hub: Hub, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = version.VERSION
    sign_head(hub)
    become_next_release(tmp_path, monkeypatch)
    with pytest.raises(Unusable, match="bothways hub migrate"), open_hub(hub.directory, "tester"):
        pass
    plan = plan_migration(hub.directory)
    assert [(each.version, each.text) for each in plan.steps] == [(before + 1, "Keep the language of contacts.")]
    with pytest.raises(Unusable, match="bothways hub migrate"), open_hub(hub.directory, "tester"):
        pass
    done = migrate_hub(hub.directory, "tester")
    with open_hub(hub.directory, "tester") as opened:
        assert [each.customer.tsp_id for each in list_customers(opened)] == [issuer]
        assert verify_audit(opened).whole
        # As its upkeep does: from now on the head is that of more lines than the release before knows.
        assert sign_head(opened)
        with opened.read() as connection:
            assert connection.exec_driver_sql("SELECT language FROM contact").all() == []
    assert migrate_hub(hub.directory, "tester").steps == ()
    if on_postgresql():
        assert done.kept is None
        return
    # What one goes back to with the release before.
    assert done.kept is not None
    hub.database.close()
    monkeypatch.setattr(version, "VERSION", before)
    for each in done.kept.iterdir():
        shutil.copy(each, hub.directory)
    for each in hub.directory.glob("hub.db-*"):
        each.unlink()
    with open_hub(hub.directory, "tester") as opened:
        assert verify_audit(opened).whole
        assert [each.customer.tsp_id for each in list_customers(opened)] == [issuer]


def test_a_hub_that_runs_is_not_migrated_and_nothing_is_left(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_next_release(tmp_path, monkeypatch)
    before = {each.name for each in hub.directory.iterdir()}
    with alone(hub.directory), pytest.raises(Conflict, match="runs already"):
        migrate_hub(hub.directory, "tester")
    assert {each.name for each in hub.directory.iterdir()} == before


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
def test_a_hub_that_runs_on_another_machine_is_not_migrated(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its lock on the database is all that is seen of it here.
    with closing(hub.database.changes()) as changes:
        changes.value()
        become_next_release(tmp_path, monkeypatch)
        with pytest.raises(Conflict, match="a hub works on this database"):
            migrate_hub(hub.directory, "tester")


def test_of_one_that_fails_nothing_is_left(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = version.VERSION
    become_next_release(tmp_path, monkeypatch, "raise LookupError")
    before = {each.name for each in hub.directory.iterdir()}
    with pytest.raises(LookupError):
        migrate_hub(hub.directory, "tester")
    assert {each.name for each in hub.directory.iterdir()} == before
    assert plan_migration(hub.directory).found == found


def test_a_hub_of_a_later_release_is_refused(hub: Hub) -> None:
    with hub.write() as transaction:
        transaction.connection.exec_driver_sql("UPDATE schema_version SET version_num = '99'")
    for refused in (plan_migration, lambda directory: migrate_hub(directory, "tester")):
        with pytest.raises(Unusable, match=f"has the schema 99, and this bothways knows none after {version.VERSION}"):
            refused(hub.directory)


@in_files
def test_a_backup_of_the_release_before_is_migrated_when_it_is_restored(
    hub: Hub, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_hub(hub, tmp_path / "backup", PASSPHRASE)
    become_next_release(tmp_path, monkeypatch)
    target = hub.directory.with_name("restored")
    assert restore_hub(tmp_path / "backup", PASSPHRASE, target, "tester").reconciled.problems == ()
    with closing(open_existing(target / "hub.db", "PPR")), open_hub(target, "tester") as opened:
        assert [each.customer.tsp_id for each in list_customers(opened)] == [issuer]
        assert verify_audit(opened).whole
