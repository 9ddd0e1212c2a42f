"""The table of answers is made with the others."""

from bothways.store.schema import metadata
from bothways.store.schema_api import answered


def test_the_table_is_a_part_of_the_one_schema() -> None:
    assert metadata.tables["answered"] is answered
