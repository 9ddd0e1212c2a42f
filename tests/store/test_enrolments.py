from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bothways.pki.request import CertificationRequest
from bothways.registry.customer import Customer
from bothways.store import enrolments, requests
from bothways.store.database import Database
from bothways.store.enrolments import Enrolment


def test_a_customer_has_one_password_the_newest(
    database: Database, customer: Customer, other: Customer, now: datetime
) -> None:
    first = Enrolment(customer.tsp_id, b"salt", b"digest", now + timedelta(days=7))
    second = replace(first, digest=b"another")
    with database.write(now, "tester") as transaction:
        enrolments.put(transaction, first)
        enrolments.put(transaction, second)
    with database.read() as connection:
        assert enrolments.find(connection, customer.tsp_id) == second
        assert enrolments.find(connection, other.tsp_id) is None


def test_its_use_is_remembered_until_there_is_a_new_one(
    database: Database, customer: Customer, now: datetime, make_request: Callable[[], CertificationRequest]
) -> None:
    fresh = Enrolment(customer.tsp_id, b"salt", b"digest", now + timedelta(days=7))
    with database.write(now, "tester") as transaction:
        enrolments.put(transaction, fresh)
        number = requests.add(transaction, customer.tsp_id, make_request())
        enrolments.use(transaction, customer.tsp_id, number)
        assert enrolments.find(transaction.connection, customer.tsp_id) == replace(fresh, request_id=number)
        enrolments.put(transaction, fresh)
        assert enrolments.find(transaction.connection, customer.tsp_id) == fresh
