from datetime import datetime

import pytest
from sqlalchemy import select

from bothways.connectivity.facts import ProbeFact
from bothways.errors import NotFound
from bothways.registry.customer import Customer
from bothways.registry.endpoint import Endpoint
from bothways.store import endpoints, schema
from bothways.store.database import Database

SERVER = Endpoint("callbacks.bank.example", 8443, "/hub")


def put(database: Database, customer: Customer, record: Endpoint) -> None:
    with database.write(customer.created_at, "tester") as transaction:
        endpoints.put(transaction, customer.tsp_id, record)


def test_a_server_comes_back_as_it_went_in(database: Database, customer: Customer) -> None:
    put(database, customer, SERVER)
    with database.read() as connection:
        assert endpoints.find(connection, customer.tsp_id) == SERVER
        assert endpoints.many(connection) == {customer.tsp_id: SERVER}


def test_a_new_server_takes_the_place_of_the_one_before(database: Database, customer: Customer) -> None:
    put(database, customer, SERVER)
    put(database, customer, Endpoint("new.bank.example", 443, ""))
    with database.read() as connection:
        assert endpoints.many(connection) == {customer.tsp_id: Endpoint("new.bank.example", 443, "")}
        assert endpoints.owner(connection, SERVER.host) is None


def test_a_host_name_has_one_owner(database: Database, customer: Customer, other: Customer) -> None:
    put(database, customer, SERVER)
    put(database, other, Endpoint("api.shop.example", 443, ""))
    with database.read() as connection:
        assert endpoints.owner(connection, SERVER.host) == customer.tsp_id
        assert endpoints.owner(connection, "api.shop.example") == other.tsp_id
        assert endpoints.owner(connection, "nobody.example") is None


def test_a_server_is_forgotten_and_that_of_another_customer_is_not(
    database: Database, customer: Customer, other: Customer
) -> None:
    put(database, customer, SERVER)
    put(database, other, Endpoint("api.shop.example", 443, ""))
    with database.write(customer.created_at, "tester") as transaction:
        endpoints.remove(transaction, customer.tsp_id)
    with database.read() as connection:
        assert list(endpoints.many(connection)) == [other.tsp_id]
        with pytest.raises(NotFound, match=r"customer 12345678 has no endpoint. Set one: "):
            endpoints.find(connection, customer.tsp_id)


def test_a_probe_is_kept_with_all_that_it_saw(database: Database, customer: Customer, now: datetime) -> None:
    seen = ProbeFact("callbacks.bank.example:8443", now, ok=False, seen="certificate_has_expired")
    with database.write(now, "tester") as transaction:
        endpoints.add_probe(transaction, customer.tsp_id, seen)
    with database.read() as connection:
        row = connection.execute(select(schema.probe)).one()
    assert row.tsp_id == customer.tsp_id
    assert ProbeFact(row.address, row.at, row.ok, row.seen) == seen
