"""What it does is seen in `tests/store/test_migration.py`, from each schema that was released, on both kinds."""

from bothways.store.revisions.versions import lines_that_stay


def test_it_follows_the_one_before() -> None:
    assert (lines_that_stay.down_revision, lines_that_stay.revision) == ("11", "12")
