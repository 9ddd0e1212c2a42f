"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import renewals_open


def test_it_follows_the_one_for_what_is_under_way() -> None:
    assert (renewals_open.down_revision, renewals_open.revision) == ("15", "16")
