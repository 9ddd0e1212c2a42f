"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import staged


def test_it_follows_the_one_for_server_authorities() -> None:
    assert (staged.down_revision, staged.revision) == ("8", "9")
