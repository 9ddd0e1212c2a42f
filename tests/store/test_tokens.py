from datetime import datetime, timedelta

import pytest

from bothways.errors import Conflict, NotFound
from bothways.registry.access import Action, Principal, Role
from bothways.registry.customer import Customer
from bothways.store import tokens
from bothways.store.database import Database
from bothways.store.tokens import StoredToken


def token(now: datetime, name: str = "ci", tsp_id: str | None = None) -> StoredToken:
    role = Role.OPERATOR if tsp_id is None else Role.CUSTOMER_MEMBER
    return StoredToken(0, name, role, tsp_id, frozenset({Action.CUSTOMER_READ}), now, now + timedelta(days=1))


def test_a_token_is_found_by_its_digest_with_all_that_it_is(
    database: Database, customer: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        first = tokens.add(transaction, token(now, tsp_id=customer.tsp_id), "a" * 64)
        second = tokens.add(transaction, token(now, "other"), "b" * 64)
    with database.read() as connection:
        assert tokens.by_digest(connection, "a" * 64) == first == tokens.find(connection, first.id)
        assert tokens.by_digest(connection, "c" * 64) is None
        assert (tokens.every(connection), tokens.every(connection, customer.tsp_id)) == ((first, second), (first,))
    assert first.principal == Principal("token:ci", Role.CUSTOMER_MEMBER, customer.tsp_id, first.scopes)


def test_use_and_revocation_are_kept(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        number = tokens.add(transaction, token(now), "a" * 64).id
        tokens.use(transaction, number)
        tokens.revoke(transaction, number)
        stored = tokens.find(transaction.connection, number)
    assert (stored.used_at, stored.revoked_at) == (now, now)
    assert stored.document(now)["state"] == "revoked"


def test_a_name_is_free_again_when_its_token_is_gone(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        first = tokens.add(transaction, token(now), "a" * 64)
        with pytest.raises(Conflict, match="there is a token ci already"):
            tokens.add(transaction, token(now), "b" * 64)
        tokens.revoke(transaction, first.id)
        tokens.add(transaction, token(now), "b" * 64)
    later = now + timedelta(days=1)
    with database.write(later, "tester") as transaction:
        assert tokens.every(transaction.connection)[1].document(later)["state"] == "expired"
        tokens.add(transaction, token(later), "c" * 64)


def test_a_number_that_is_no_token_is_said(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match="no token 7"):
        tokens.find(connection, 7)


def test_a_name_stands_for_the_token_that_had_it_last(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        first = tokens.add(transaction, token(now), "a" * 64)
        tokens.revoke(transaction, first.id)
        second = tokens.add(transaction, token(now), "b" * 64)
        assert tokens.newest(transaction.connection, "ci") == second
        assert tokens.newest(transaction.connection, "other") is None


def test_a_page_has_the_newest_first_of_one_customer_or_of_all(
    database: Database, customer: Customer, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        first, second, third = (
            tokens.add(transaction, token(now, name, tsp_id), digest * 64).id
            for name, tsp_id, digest in (("a", customer.tsp_id, "a"), ("b", None, "b"), ("c", customer.tsp_id, "c"))
        )
    with database.read() as connection:
        assert [each.id for each in tokens.page(connection, None, 0, 2)] == [third, second]
        assert [each.id for each in tokens.page(connection, None, second, 2)] == [first]
        assert [each.id for each in tokens.page(connection, customer.tsp_id, 0, 9)] == [third, first]
