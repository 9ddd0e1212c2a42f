from sqlalchemy import inspect

from bothways.store.database import Database
from bothways.store.making import OBSERVATIONS, SCHEMA
from bothways.store.trigger import triggers


def test_a_new_database_has_every_table_of_every_module_and_the_triggers(database: Database) -> None:
    with database.read() as connection:
        assert {*inspect(connection).get_table_names()} == {*SCHEMA.tables}
        assert {"no_update_of_audit", "touched_by_delete_of_held"} <= triggers(connection)
    # What was forgotten here would be made by nobody.
    assert {"account", "answered", "chain", "customer", "held", "node", "person", "proposal", "bundle"} <= {
        *SCHEMA.tables
    }
    assert {"schema_version", "touched"} <= {*SCHEMA.tables}
    observed = {"control_plane", "last_call", "node_status", "observation", "probed", "source", "under_way"}
    assert {*OBSERVATIONS.tables} == observed
