from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from tests.conftest import unguarded

from bothways.store import append_only
from bothways.store.database import Database
from bothways.store.schema import audit


@pytest.mark.parametrize(
    "statement",
    [
        update(audit).values(actor="nobody"),
        delete(audit),
        update(audit).where(audit.c.sequence == 1).values(sequence=9),
    ],
    ids=["update", "delete", "renumber"],
)
def test_the_database_itself_refuses_to_change_a_line(database: Database, now: datetime, statement: Any) -> None:
    with database.write(now, "alice") as transaction:
        transaction.audit("customer.add", "1", kind="issuer", organization="First Bank")
    with pytest.raises(IntegrityError, match="audit is append-only"), database.write(now, "attacker") as transaction:
        transaction.connection.execute(statement)
    with database.read() as connection:
        assert connection.execute(select(audit.c.sequence, audit.c.actor)).all() == [(1, "alice")]


def test_triggers_that_were_taken_out_are_named(database: Database, now: datetime) -> None:
    with database.write(now, "attacker") as transaction:
        assert append_only.missing_triggers(transaction.connection, audit) == ()
        unguarded(transaction.connection)
        found = append_only.missing_triggers(transaction.connection, audit)
        third = "truncate" if transaction.connection.dialect.name == "postgresql" else "insert"
    assert found == ("no_update_of_audit", "no_delete_of_audit", f"no_{third}_of_audit")


def test_a_line_is_not_replaced_and_the_table_not_emptied(database: Database, now: datetime) -> None:
    with database.write(now, "alice") as transaction:
        transaction.audit("customer.add", "1", kind="issuer", organization="First Bank")
        postgresql = transaction.connection.dialect.name == "postgresql"
        columns = ", ".join("'eve'" if each.name == "actor" else each.name for each in audit.columns)
    replace = f"INSERT OR REPLACE INTO audit SELECT {columns} FROM audit"  # noqa: S608 - names of ours
    attack = "TRUNCATE audit" if postgresql else replace
    with pytest.raises(IntegrityError, match="audit is append-only"), database.write(now, "attacker") as transaction:
        transaction.connection.exec_driver_sql(attack)
    with database.write(now, "bob") as transaction:
        transaction.audit("customer.add", "2", kind="issuer", organization="Second Bank")
    with database.read() as connection:
        assert connection.execute(select(audit.c.sequence, audit.c.actor)).all() == [(1, "alice"), (2, "bob")]
