"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import chain_ends


def test_it_follows_the_lines_that_stay() -> None:
    assert (chain_ends.down_revision, chain_ends.revision) == ("12", "13")
