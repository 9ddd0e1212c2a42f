from datetime import datetime

import pytest

from bothways.errors import Conflict, NotFound
from bothways.registry.contact import ContactKind
from bothways.registry.customer import Customer
from bothways.store import contacts
from bothways.store.database import Database

EMAIL = ContactKind.EMAIL


def test_contacts_of_customer_and_operator_are_kept_apart(
    database: Database, customer: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        theirs = contacts.add(transaction, customer.tsp_id, EMAIL, "a@bank.example", "")
        ours = contacts.add(transaction, None, EMAIL, "a@bank.example", "")
    with database.read() as connection:
        assert contacts.every(connection, customer.tsp_id) == (theirs,)
        assert contacts.every(connection, None) == (ours,)
        assert contacts.find(connection, ours.id) == ours


def test_a_contact_is_added_once_and_again_after_it_was_removed(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        first = contacts.add(transaction, None, EMAIL, "a@hub.example", "")
        with pytest.raises(Conflict, match=r"a@hub\.example is a contact already"):
            contacts.add(transaction, None, EMAIL, "a@hub.example", "")
        assert contacts.remove(transaction, None, first.id) == first
        again = contacts.add(transaction, None, EMAIL, "a@hub.example", "")
        assert contacts.every(transaction.connection, None) == (again,)
        assert contacts.find(transaction.connection, first.id) == first


def test_nobody_removes_anothers_contact(database: Database, customer: Customer, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        ours = contacts.add(transaction, None, EMAIL, "a@hub.example", "")
        for tsp_id, number in ((customer.tsp_id, ours.id), (None, 99)):
            with pytest.raises(NotFound, match="there is no contact"):
                contacts.remove(transaction, tsp_id, number)
        with pytest.raises(NotFound):
            contacts.find(transaction.connection, 99)
