"""That it makes what the tables of the code say, and keeps all rows, `test_migration.py` proves for all revisions."""

from bothways.store.revisions.versions import under_way


def test_it_follows_the_one_for_probes() -> None:
    assert (under_way.down_revision, under_way.revision) == ("14", "15")
