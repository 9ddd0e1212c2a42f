from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, inspect
from sqlalchemy.exc import IntegrityError

from bothways.pki.request import CertificationRequest
from bothways.registry.customer import Customer
from bothways.store import requests, schema
from bothways.store.database import Database
from bothways.store.requests import RequestState


def test_one_key_is_held_by_one_request(
    database: Database, customer: Customer, make_request: Callable[..., CertificationRequest], ecdsa_key: Any
) -> None:
    now = customer.created_at
    with database.write(now, "tester") as transaction:
        requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))
    with pytest.raises(IntegrityError, match="spki_pin"), database.write(now, "tester") as transaction:
        requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))


def test_a_refused_request_leaves_its_key_free_and_only_once(
    database: Database, customer: Customer, make_request: Callable[..., CertificationRequest], ecdsa_key: Any
) -> None:
    now = customer.created_at
    with database.write(now, "tester") as transaction:
        first = requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))
        requests.decide(transaction, first, RequestState.REFUSED, "typo")
        requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))
    with pytest.raises(IntegrityError, match="spki_pin"), database.write(now, "tester") as transaction:
        requests.decide(transaction, first, RequestState.APPROVED)


def test_a_host_name_belongs_to_one_customer(database: Database, customer: Customer, other: Customer) -> None:
    now = customer.created_at
    values: dict[str, Any] = {"host": "a.example", "port": 443, "path": "", "set_at": now}
    rows = [values | {"tsp_id": each.tsp_id} for each in (customer, other)]
    with pytest.raises(IntegrityError, match=r"endpoint\.host"), database.write(now, "tester") as transaction:
        transaction.connection.execute(insert(schema.endpoint), rows)


def test_every_table_is_made_with_the_columns_that_it_declares(database: Database) -> None:
    with database.read() as connection:
        found = inspect(connection)
        made = {name: {each["name"] for each in found.get_columns(name)} for name in found.get_table_names()}
    assert made == {name: set(table.columns.keys()) for name, table in schema.metadata.tables.items()}
