"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import sealed_keys


def test_it_follows_the_first_release() -> None:
    assert (sealed_keys.down_revision, sealed_keys.revision) == ("1", "2")
