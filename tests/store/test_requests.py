from collections.abc import Callable
from typing import Any

import pytest

from bothways.errors import NotFound
from bothways.pki.request import CertificationRequest
from bothways.registry.customer import Customer
from bothways.store import requests
from bothways.store.database import Database
from bothways.store.requests import RequestState, StoredRequest

Making = Callable[..., CertificationRequest]


def add(database: Database, customer: Customer, record: CertificationRequest) -> int:
    with database.write(customer.created_at, "tester") as transaction:
        return requests.add(transaction, customer.tsp_id, record)


def test_a_request_comes_back_byte_for_byte_and_waits_for_review(
    database: Database, customer: Customer, make_request: Making
) -> None:
    record = make_request()
    number = add(database, customer, record)
    expected = StoredRequest(
        number, customer.tsp_id, record, RequestState.SUBMITTED, customer.created_at, decided_by=None, reason=None
    )
    with database.read() as connection:
        assert requests.find(connection, number) == expected


def test_its_document_names_what_two_people_compare(
    database: Database, customer: Customer, make_request: Making
) -> None:
    record = make_request()
    number = add(database, customer, record)
    with database.read() as connection:
        assert requests.find(connection, number).document() == {
            "id": number,
            "customer": "12345678",
            "subject": record.subject.rfc4514_string(),
            "fingerprint": record.fingerprint,
            "spki_pin": record.spki_pin,
            "state": "submitted",
            "submitted_at": "2026-11-23T12:00:00+00:00",
            "decided_by": None,
            "reason": None,
        }


@pytest.mark.parametrize("state", [RequestState.APPROVED, RequestState.REFUSED])
def test_a_decision_says_who_and_why_and_leaves_other_requests_alone(
    database: Database, customer: Customer, make_request: Making, state: RequestState
) -> None:
    number, untouched = add(database, customer, make_request()), add(database, customer, make_request())
    with database.write(customer.created_at, "alice") as transaction:
        requests.decide(transaction, number, state, "because")
    with database.read() as connection:
        found = requests.find(connection, number)
        assert (found.state, found.decided_by, found.reason) == (state, "alice", "because")
        assert requests.find(connection, untouched).state is RequestState.SUBMITTED


def test_the_same_bytes_are_recognised(database: Database, customer: Customer, make_request: Making) -> None:
    record = make_request()
    number = add(database, customer, record)
    with database.read() as connection:
        found = requests.same(connection, record)
        assert found is not None
        assert found.id == number
        assert requests.same(connection, make_request()) is None


def test_a_key_is_in_use_until_its_request_is_refused(
    database: Database, customer: Customer, make_request: Making, ecdsa_key: Any
) -> None:
    pin = make_request(ecdsa_key).spki_pin
    number = add(database, customer, make_request(ecdsa_key))
    with database.read() as connection:
        found = requests.key_in_use(connection, pin)
        assert found is not None
        assert found.id == number
        assert requests.key_in_use(connection, make_request().spki_pin) is None
    with database.write(customer.created_at, "alice") as transaction:
        requests.decide(transaction, number, RequestState.REFUSED)
        assert requests.key_in_use(transaction.connection, pin) is None


def test_requests_are_listed_oldest_first_and_by_customer(
    database: Database, customer: Customer, other: Customer, make_request: Making
) -> None:
    numbers = [add(database, each, make_request()) for each in (other, customer, other)]
    with database.read() as connection:
        assert [each.id for each in requests.every(connection)] == numbers
        assert [each.id for each in requests.every(connection, other.tsp_id)] == [numbers[0], numbers[2]]


def test_an_unknown_number_is_not_found(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match=r"there is no request 7. Look at: "):
        requests.find(connection, 7)
