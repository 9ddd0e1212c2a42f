from collections.abc import Callable
from typing import Any

import pytest

from bothways.errors import NotFound
from bothways.pki.request import CertificationRequest
from bothways.registry.customer import Customer
from bothways.store import requests
from bothways.store.database import Database
from bothways.store.requests import KeyHolder, RequestState, StoredRequest

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


def test_a_key_is_held_until_its_request_is_refused(
    database: Database, customer: Customer, make_request: Making, ecdsa_key: Any
) -> None:
    held, free = make_request(ecdsa_key), make_request()
    number = add(database, customer, held)
    pins = [held.spki_pin, free.spki_pin]
    with database.read() as connection:
        expected = {held.spki_pin: KeyHolder(customer.tsp_id, held.fingerprint)}
        assert requests.key_holders(connection, pins) == expected
    with database.write(customer.created_at, "alice") as transaction:
        requests.decide(transaction, number, RequestState.REFUSED)
        assert requests.key_holders(transaction.connection, pins) == {}


def test_many_are_found_at_once_and_the_missing_are_left_out(
    database: Database, customer: Customer, make_request: Making
) -> None:
    numbers = [add(database, customer, make_request()) for _ in range(3)]
    with database.read() as connection:
        found = requests.many(connection, [numbers[2], 99, numbers[0]])
        assert found == {each: requests.find(connection, each) for each in (numbers[0], numbers[2])}
        assert requests.many(connection, []) == {}


def test_one_decision_is_recorded_about_many(
    database: Database, customer: Customer, other: Customer, make_request: Making
) -> None:
    first, second = add(database, customer, make_request()), add(database, customer, make_request())
    left, foreign = add(database, customer, make_request()), add(database, other, make_request())
    with database.write(customer.created_at, "alice") as transaction:
        requests.decide_all(transaction, (first, second), RequestState.APPROVED)
        requests.decide_all(transaction, (), RequestState.REFUSED)
    with database.read() as connection:
        assert requests.numbers_in(connection, RequestState.APPROVED) == (first, second)
        assert requests.numbers_in(connection, RequestState.SUBMITTED) == (left, foreign)
        assert requests.numbers_in(connection, RequestState.SUBMITTED, other.tsp_id) == (foreign,)
        assert requests.find(connection, second).decided_by == "alice"


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
