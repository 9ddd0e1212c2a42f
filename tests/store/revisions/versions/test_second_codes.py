"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import second_codes


def test_it_follows_the_agreed_terms() -> None:
    assert (second_codes.down_revision, second_codes.revision) == ("4", "5")
