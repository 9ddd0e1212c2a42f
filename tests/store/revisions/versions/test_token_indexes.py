"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import token_indexes


def test_it_follows_the_second_codes() -> None:
    assert (token_indexes.down_revision, token_indexes.revision) == ("5", "6")
