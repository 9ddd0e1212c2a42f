"""The table of proposals is made with the others."""

from bothways.store.schema import metadata
from bothways.store.schema_review import proposal


def test_the_table_is_a_part_of_the_one_schema() -> None:
    assert metadata.tables["proposal"] is proposal
