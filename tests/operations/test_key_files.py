"""Key files of an earlier release, taken into the database: all of them, and none is lost wherever it is killed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete
from tests.operations.conftest import Audit
from tests.stored_keys import key_names

from bothways.errors import Unusable
from bothways.operations import migration
from bothways.operations.audit import verify_audit
from bothways.operations.hub import Hub, open_hub
from bothways.operations.key_files import key_files
from bothways.operations.migration import migrate_hub, plan_migration
from bothways.operations.own_keys import require_signers
from bothways.store import sealed_keys
from bothways.store.schema_keys import sealed_key


@pytest.fixture
def beside(hub: Hub) -> Hub:
    """A hub whose keys are in files, as they were before they went into the database."""
    (hub.directory / "keys").mkdir(mode=0o700)
    with hub.write() as transaction:
        for name, key in sealed_keys.every(transaction.connection).items():
            path = hub.directory / "keys" / f"{name}.key"
            path.write_bytes(key.pem)
            path.chmod(0o600)
        transaction.connection.execute(delete(sealed_key))
    return hub


def test_all_go_into_the_database_and_the_files_go(beside: Hub, audited: Audit) -> None:
    names = {each.stem for each in key_files(beside.directory)}
    assert len(names) == 9
    assert plan_migration(beside.directory).key_files == 9
    done = migrate_hub(beside.directory, "tester")
    assert (done.key_files, done.left) == (9, ())
    assert key_names(beside) == names
    assert not (beside.directory / "keys").exists()
    assert audited()[-1] == ("key.take-in", "database")
    with open_hub(beside.directory, "tester") as opened:
        require_signers(opened)
        assert verify_audit(opened).whole
    assert not migrate_hub(beside.directory, "tester").is_due


def test_what_belongs_to_nothing_is_left_and_named(beside: Hub) -> None:
    stray, changed = (beside.directory / "keys" / name for name in ("stray.key", "other.txt"))
    stray.write_bytes(b"x")
    changed.write_bytes(b"y")
    done = migrate_hub(beside.directory, "tester")
    assert done.left == (stray,)
    assert {*(beside.directory / "keys").iterdir()} == {stray, changed}
    assert "stray" not in key_names(beside)


def test_one_that_is_lost_keeps_no_other_out(beside: Hub) -> None:
    (beside.directory / "keys" / "client-ca-1.key").unlink()
    migrate_hub(beside.directory, "tester")
    with beside.read() as connection:
        assert sealed_keys.missing(connection) == ("client-ca-1",)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-60]), "client-ca-1"),
        (lambda path: path.chmod(0o644), "0600 is wanted"),
    ],
)
def test_one_that_cannot_be_used_ends_it_and_nothing_was_changed(
    beside: Hub, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(beside.directory / "keys" / "client-ca-1.key")
    with pytest.raises(Unusable, match=said):
        migrate_hub(beside.directory, "tester")
    assert key_names(beside) == frozenset()
    assert len(key_files(beside.directory)) == 9


def test_killed_before_the_files_are_removed_nothing_is_lost_and_the_next_try_goes_on(
    beside: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(migration, "remove_taken", killed)
        with pytest.raises(KilledError):
            migrate_hub(beside.directory, "tester")
    assert len(key_names(beside)) == len(key_files(beside.directory)) == 9
    # One of them was gone already.
    (beside.directory / "keys" / "client-ca-1.key").unlink()
    assert migrate_hub(beside.directory, "tester").left == ()
    assert key_files(beside.directory) == ()
    assert len(key_names(beside)) == 9
