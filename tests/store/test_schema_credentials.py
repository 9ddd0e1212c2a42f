from datetime import datetime

import pytest
from sqlalchemy.exc import IntegrityError

from bothways.registry.customer import Customer
from bothways.store import customer_credentials
from bothways.store.customer_credentials import CredentialState
from bothways.store.database import Database


def test_a_customer_has_one_request_that_waits_and_any_number_that_ended(
    database: Database, customer: Customer, other: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        for number in range(3):
            made = customer_credentials.add(transaction, customer.tsp_id, f"key-{number}", b"csr")
            customer_credentials.end(transaction, made, CredentialState.REMOVED, "another")
        customer_credentials.add(transaction, customer.tsp_id, "key-3", b"csr")
        customer_credentials.add(transaction, other.tsp_id, "key-4", b"csr")
    with pytest.raises(IntegrityError), database.write(now, "tester") as transaction:
        customer_credentials.add(transaction, customer.tsp_id, "key-5", b"csr")


def test_a_key_is_for_one_customer_alone(
    database: Database, customer: Customer, other: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        customer_credentials.add(transaction, customer.tsp_id, "key", b"csr")
    with pytest.raises(IntegrityError, match="key_name"), database.write(now, "tester") as transaction:
        customer_credentials.add(transaction, other.tsp_id, "key", b"csr")
