"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import agreed_terms


def test_it_follows_the_one_for_the_fleet() -> None:
    assert (agreed_terms.down_revision, agreed_terms.revision) == ("3", "4")
