"""Passkeys are found by their credential, and go with the account."""

from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.store import passkeys


def test_a_passkey_is_found_by_its_credential_until_it_is_removed(hub: Hub) -> None:
    number = add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR).id
    with hub.write() as transaction:
        added = passkeys.add(transaction, number, b"credential", b"key", 1)
        passkeys.used(transaction, added, 7)
        found = passkeys.find(transaction.connection, b"credential")
        assert found is not None
        assert (found.person_id, found.uses, found.used_at) == (number, 7, transaction.now)
        assert passkeys.every(transaction.connection, number) == (found,)
        passkeys.remove(transaction, number)
        assert passkeys.find(transaction.connection, b"credential") is None
