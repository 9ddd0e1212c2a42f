"""No operation can change a customer's facts without being noticed: the triggers of the database see it."""

import contextlib
from datetime import datetime

import pytest
from sqlalchemy import insert, text

from bothways.registry.customer import Customer
from bothways.registry.endpoint import Endpoint
from bothways.store import customers, endpoints, schema, touched
from bothways.store.database import Database

FACTS = {"customer", "request", "certificate", "endpoint", "submitted_endpoint", "chain", "probe", "granted"}
FACTS |= {"customer_credential", "held"}


def test_the_first_look_knows_nobody(database: Database, customer: Customer) -> None:
    with database.read() as connection:
        assert touched.since(connection, None) == touched.Touched(None, 1)
        assert touched.since(connection, 1) == touched.Touched(frozenset(), 1)
    assert customer.tsp_id


def test_who_was_changed_added_to_or_taken_from_is_named_once(
    database: Database, customer: Customer, other: Customer, now: datetime
) -> None:
    with database.read() as connection:
        place = touched.since(connection, None).place
    with database.write(now, "tester") as transaction:
        customers.suspend(transaction, customer.tsp_id, suspended=True)
        endpoints.put(transaction, customer.tsp_id, Endpoint("bank.example", 443, ""))
        endpoints.put(transaction, other.tsp_id, Endpoint("shop.example", 443, ""))
    with database.read() as connection:
        found = touched.since(connection, place)
    assert found.tsp_ids == frozenset({customer.tsp_id, other.tsp_id})
    with database.write(now, "tester") as transaction:
        endpoints.remove(transaction, other.tsp_id)
    with database.read() as connection:
        assert touched.since(connection, found.place).tsp_ids == frozenset({other.tsp_id})


def test_what_was_undone_touched_nobody(database: Database, customer: Customer, now: datetime) -> None:
    with database.read() as connection:
        place = touched.since(connection, None).place
    with contextlib.suppress(ZeroDivisionError), database.write(now, "tester") as transaction:
        customers.suspend(transaction, customer.tsp_id, suspended=True)
        raise ZeroDivisionError
    with database.read() as connection:
        assert touched.since(connection, place).tsp_ids == frozenset()


def test_each_table_of_facts_has_its_triggers(database: Database) -> None:
    with database.read() as connection:
        found = {row.name for row in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))}
    found = {each for each in found if each.startswith("touched_by_")}
    assert found == {f"touched_by_{change}_of_{table}" for change in ("insert", "update", "delete") for table in FACTS}
    # Whatever else names a customer is no fact that the data plane follows.
    named = {name for name, table in schema.metadata.tables.items() if "tsp_id" in table.columns}
    assert named - FACTS == {"touched", "enrolment", "contact", "token", "person", "bundle", "contract_taken"}


def test_a_place_that_this_database_does_not_have_means_that_it_may_be_anybody(
    database: Database, customer: Customer, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    with database.read() as connection:
        assert touched.since(connection, 99).tsp_ids is None
    monkeypatch.setattr(touched, "KEPT", 3)
    with database.write(now, "tester") as transaction:
        transaction.connection.execute(insert(touched.table), [{"tsp_id": customer.tsp_id} for _ in range(9)])
    with database.read() as connection:
        assert touched.is_long(connection)
    with database.write(now, "tester") as transaction:
        touched.forget(transaction.connection)
    with database.read() as connection:
        assert not touched.is_long(connection)
        assert touched.since(connection, 2) == touched.Touched(None, 10)
        assert touched.since(connection, 7) == touched.Touched(frozenset({customer.tsp_id}), 10)
