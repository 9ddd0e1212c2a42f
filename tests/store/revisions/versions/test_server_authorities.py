"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import server_authorities


def test_it_follows_what_is_let_go() -> None:
    assert (server_authorities.down_revision, server_authorities.revision) == ("7", "8")
