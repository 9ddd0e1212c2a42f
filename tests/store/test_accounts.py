"""Accounts and invitations are kept one per person, and a code is counted once."""

import pytest

from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.store import accounts
from bothways.store.accounts import Account, Invitation


@pytest.fixture
def number(hub: Hub) -> int:
    return add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR).id


def test_the_next_invitation_takes_the_place_of_the_one_before(hub: Hub, number: int) -> None:
    first, second = (Invitation(number, digest, b"x", hub.now()) for digest in ("1", "2"))
    with hub.write() as transaction:
        accounts.invite(transaction, first)
        accounts.invite(transaction, second)
        assert accounts.invited(transaction.connection, "1") is None
        assert accounts.invited(transaction.connection, "2") == second
        accounts.withdraw_invitation(transaction, number)
        assert accounts.invited(transaction.connection, "2") is None


def test_of_two_who_use_the_same_code_at_once_one_is_let_in(hub: Hub, number: int) -> None:
    with hub.write() as transaction:
        accounts.put(transaction, Account(number, "hash", b"totp", 5, failures=3))
        assert accounts.code_used(transaction, number, 5, 6)
        assert not accounts.code_used(transaction, number, 5, 6)
        known = accounts.find(transaction.connection, number)
        assert known is not None
        assert (known.totp_step, known.failures) == (6, 0)
        assert "hash" not in repr(known)


def test_who_has_an_account_is_told_for_many(hub: Hub, number: int) -> None:
    with hub.write() as transaction:
        accounts.put(transaction, Account(number, "hash", b"totp"))
        assert accounts.with_account(transaction.connection, [number, 99]) == {number}
        accounts.remove(transaction, number)
        assert accounts.with_account(transaction.connection, [number, 99]) == set()
