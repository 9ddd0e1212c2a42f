"""The table of private keys is made with the others."""

from bothways.store.schema import metadata
from bothways.store.schema_keys import sealed_key


def test_the_table_is_a_part_of_the_one_schema() -> None:
    assert metadata.tables["sealed_key"] is sealed_key
