"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import probed


def test_it_follows_the_ends_of_chains() -> None:
    assert (probed.down_revision, probed.revision) == ("13", "14")
