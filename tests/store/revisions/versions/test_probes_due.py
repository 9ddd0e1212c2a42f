"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import probes_due


def test_it_follows_the_one_for_the_indexes_of_people() -> None:
    assert (probes_due.down_revision, probes_due.revision) == ("10", "11")
