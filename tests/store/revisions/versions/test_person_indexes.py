"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import person_indexes


def test_it_follows_what_is_staged() -> None:
    assert (person_indexes.down_revision, person_indexes.revision) == ("9", "10")
