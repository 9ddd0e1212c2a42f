from datetime import datetime

import pytest
from sqlalchemy.exc import IntegrityError

from bothways.errors import NotFound
from bothways.registry.customer import Customer
from bothways.registry.endpoint import Endpoint
from bothways.store import submitted_endpoints
from bothways.store.database import Database
from bothways.store.submitted_endpoints import EndpointState, SubmittedEndpoint

SERVER = Endpoint("callbacks.bank.example", 8443, "/hub")


def add(database: Database, customer: Customer, record: Endpoint) -> SubmittedEndpoint:
    with database.write(customer.created_at, "tester") as transaction:
        return submitted_endpoints.add(transaction, customer.tsp_id, record)


def test_what_was_named_comes_back_as_it_went_in_and_waits(database: Database, customer: Customer) -> None:
    stored = add(database, customer, SERVER)
    wanted = SubmittedEndpoint(
        1, customer.tsp_id, SERVER, EndpointState.SUBMITTED, customer.created_at, decided_by=None, reason=None
    )
    with database.read() as connection:
        assert stored == submitted_endpoints.find(connection, 1) == wanted
        assert submitted_endpoints.waiting(connection) == (wanted,)
        assert submitted_endpoints.waiting(connection, "nobody") == ()
        assert submitted_endpoints.owner(connection, SERVER.host) == customer.tsp_id
    assert stored.document()["url"] == "https://callbacks.bank.example:8443/hub"


@pytest.mark.parametrize("state", [each for each in EndpointState if each is not EndpointState.SUBMITTED])
def test_what_was_decided_waits_no_more(
    database: Database, customer: Customer, now: datetime, state: EndpointState
) -> None:
    stored = add(database, customer, SERVER)
    with database.write(now, "reviewer") as transaction:
        submitted_endpoints.decide(transaction, stored.id, state, "because")
    with database.read() as connection:
        decided = submitted_endpoints.find(connection, stored.id)
        assert (decided.state, decided.decided_by, decided.reason) == (state, "reviewer", "because")
        assert submitted_endpoints.waiting(connection) == ()
        assert submitted_endpoints.owner(connection, SERVER.host) is None
    add(database, customer, SERVER)


def test_nobody_waits_for_what_another_waits_for_and_nobody_for_two(
    database: Database, customer: Customer, other: Customer
) -> None:
    add(database, customer, SERVER)
    with pytest.raises(IntegrityError):
        add(database, other, Endpoint(SERVER.host, 443, ""))
    with pytest.raises(IntegrityError):
        add(database, customer, Endpoint("other.bank.example", 443, ""))


def test_a_number_that_was_not_given_is_not_found(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match="bothways endpoint list"):
        submitted_endpoints.find(connection, 7)


def test_the_newest_is_the_one_that_was_named_last_whatever_became_of_it(
    database: Database, customer: Customer, now: datetime
) -> None:
    add(database, customer, SERVER)
    with database.write(now, "reviewer") as transaction:
        submitted_endpoints.decide(transaction, 1, EndpointState.APPROVED)
    add(database, customer, Endpoint("other.bank.example", 443, ""))
    with database.write(now, "reviewer") as transaction:
        submitted_endpoints.decide(transaction, 2, EndpointState.REFUSED, "because")
    with database.read() as connection:
        newest = submitted_endpoints.newest(connection, customer.tsp_id)
        assert newest == submitted_endpoints.find(connection, 2)
        assert submitted_endpoints.newest(connection, "nobody") is None
