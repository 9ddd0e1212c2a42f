"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import audit_search


def test_it_follows_the_renewals_that_are_open() -> None:
    assert (audit_search.down_revision, audit_search.revision) == ("16", "17")
