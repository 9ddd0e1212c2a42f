"""The tables of statements, bundles and CRL numbers are made with the others."""

from bothways.store.schema import metadata
from bothways.store.schema_statements import bundle, contract_taken, revocation_list_floor, statement_key


def test_the_tables_are_a_part_of_the_one_schema() -> None:
    names = ("statement_key", "bundle", "contract_taken", "revocation_list_floor")
    assert [metadata.tables[each] for each in names] == [statement_key, bundle, contract_taken, revocation_list_floor]
