from datetime import datetime

import pytest

from bothways.errors import Conflict, NotFound
from bothways.registry.access import Role
from bothways.registry.customer import Customer
from bothways.registry.person import Person
from bothways.store import customers, people
from bothways.store.database import Database, Transaction

OPERATOR, MEMBER = Role.OPERATOR, Role.CUSTOMER_MEMBER


def ann(transaction: Transaction) -> Person:
    return people.add(transaction, "ann@hub.example", "Ann", OPERATOR, None, "ann")


def test_people_are_found_as_they_were_stored(database: Database, customer: Customer, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        of_hub = ann(transaction)
        theirs = people.add(transaction, "bob@bank.example", "Bob", MEMBER, customer.tsp_id, None)
    with database.read() as connection:
        assert people.every(connection) == (of_hub, theirs)
        assert people.every(connection, customer.tsp_id) == (theirs,)
        assert people.every(connection, None, of_hub.id, 1) == (theirs,)
        assert people.find(connection, theirs.id) == theirs
        assert people.active(connection, "bob@bank.example") == theirs
        assert people.active_by_id(connection, of_hub.id) == of_hub
        assert people.by_name(connection, "ann") == of_hub
        assert people.active(connection, "eve@bank.example") is None
        with pytest.raises(NotFound, match="no person 99"):
            people.find(connection, 99)


@pytest.mark.parametrize(("email", "os_user"), [("ann@hub.example", None), ("eve@hub.example", "ann")])
def test_nobody_is_on_record_twice(database: Database, now: datetime, email: str, os_user: str | None) -> None:
    with database.write(now, "tester") as transaction:
        ann(transaction)
        with pytest.raises(Conflict, match=r"as ann@hub\.example"):
            people.add(transaction, email, "Eve", OPERATOR, None, os_user)


def test_who_is_disabled_stays_on_record_and_leaves_the_address_free(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        first = ann(transaction)
        people.disable(transaction, first.id)
        assert people.active(transaction.connection, first.email) is None
        assert people.active_by_id(transaction.connection, first.id) is None
        again = ann(transaction)
        assert people.active(transaction.connection, first.email) == again
        assert people.find(transaction.connection, first.id).disabled_at == now


def test_people_of_a_removed_customer_come_in_no_more(database: Database, customer: Customer, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        bob = people.add(transaction, "bob@bank.example", "Bob", MEMBER, customer.tsp_id, None)
        customers.remove(transaction, customer.tsp_id)
        assert people.active(transaction.connection, bob.email) is None
        assert people.active_by_id(transaction.connection, bob.id) is None
        assert people.every(transaction.connection) == (bob,)


def test_who_had_a_name_is_found_after_who_has_it(database: Database, customer: Customer, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        first = ann(transaction)
        people.add(transaction, "bob@bank.example", "Bob", MEMBER, customer.tsp_id, None)
        people.disable(transaction, first.id)
        gone = people.find(transaction.connection, first.id)
        connection = transaction.connection
        assert (people.by_name(connection, "ann"), people.by_name(connection, first.email)) == (gone, gone)
        assert (people.by_name(connection, "eve"), people.of_hub(connection)) == (None, ())
        second = ann(transaction)
        assert (people.by_name(connection, "ann"), people.of_hub(connection)) == (second, (second,))
