"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import let_go


def test_it_follows_the_one_for_the_indexes_of_tokens() -> None:
    assert (let_go.down_revision, let_go.revision) == ("6", "7")
