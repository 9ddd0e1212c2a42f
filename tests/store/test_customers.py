from datetime import datetime

import pytest

from bothways.errors import Conflict, NotFound
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import customers
from bothways.store.database import Database


def test_a_customer_comes_back_as_it_went_in(database: Database, customer: Customer, other: Customer) -> None:
    with database.read() as connection:
        assert customers.find(connection, customer.tsp_id) == customer
        assert customers.find(connection, other.tsp_id) == other
        assert customers.every(connection) == (customer, other)
        assert customers.many(connection, [other.tsp_id, "nobody"]) == {other.tsp_id: other}


@pytest.mark.parametrize("suspended", [True, False])
def test_a_customer_is_suspended_and_resumed_alone(
    database: Database,
    customer: Customer,
    other: Customer,
    suspended: bool,  # noqa: FBT001 - both ways are the point
) -> None:
    with database.write(customer.created_at, "tester") as transaction:
        customers.suspend(transaction, customer.tsp_id, suspended=not suspended)
        customers.suspend(transaction, customer.tsp_id, suspended=suspended)
    with database.read() as connection:
        assert customers.find(connection, customer.tsp_id).suspended is suspended
        assert customers.find(connection, other.tsp_id).suspended is False


def test_an_unknown_customer_is_not_found(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match=r"there is no customer 1. Look at: "):
        customers.find(connection, "1")


def test_a_tsp_id_is_given_once(database: Database, customer: Customer) -> None:
    again = Customer(customer.tsp_id, CustomerKind.MERCHANT, "Somebody Else", customer.created_at)
    with (
        pytest.raises(Conflict, match="12345678 exists already"),
        database.write(customer.created_at, "tester") as transaction,
    ):
        customers.add(transaction, again)


def test_a_removed_customer_is_gone_and_its_tsp_id_is_never_given_again(
    database: Database, customer: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        customers.remove(transaction, customer.tsp_id)
    with database.read() as connection:
        assert customers.every(connection) == ()
        with pytest.raises(NotFound):
            customers.find(connection, customer.tsp_id)
    with pytest.raises(Conflict, match="never used again"), database.write(now, "tester") as transaction:
        customers.add(transaction, customer)


def test_it_is_counted_how_often_each_customer_was_let_go(
    database: Database, customer: Customer, other: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        customers.let_go(transaction, [customer.tsp_id])
        customers.let_go(transaction, [customer.tsp_id])
    with database.read() as connection:
        assert customers.times_let_go(connection, None) == {customer.tsp_id: 2}
        assert customers.times_let_go(connection, [other.tsp_id]) == {}
