from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import Customer
from bothways.store import certificates, keys, requests
from bothways.store.database import Database
from bothways.store.keys import BanCause, BannedKey

ONE, OTHER = "0a" * 32, "0b" * 32


def test_a_key_is_banned_once_with_the_cause_that_came_first(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        assert keys.ban(transaction, ONE, BanCause.SHARED_PRIME, "it shares a prime", OTHER)
        assert not keys.ban(transaction, ONE, BanCause.OPERATOR, "by mail")
    ban = BannedKey(ONE, BanCause.SHARED_PRIME, "it shares a prime", OTHER, now, "tester")
    with database.read() as connection:
        assert keys.banned(connection, [ONE, OTHER]) == {ONE: ban}
        assert keys.every_ban(connection) == (ban,)
    assert ban.document() == {
        "spki_pin": ONE,
        "cause": "shared prime",
        "reason": "it shares a prime",
        "banned_at": now.isoformat(),
        "banned_by": "tester",
    }


def test_moduli_are_stored_once_and_found_by_pin_and_by_age(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        assert keys.last_modulus(transaction.connection) == 0
        keys.add_modulus(transaction, ONE, 2**4095 + 1)
        first = keys.last_modulus(transaction.connection)
        keys.add_modulus(transaction, ONE, 15)
        keys.add_modulus(transaction, OTHER, 15)
    with database.read() as connection:
        assert keys.moduli(connection, [ONE]) == {ONE: 2**4095 + 1}
        assert [*keys.moduli_after(connection, 0)] == [(ONE, 2**4095 + 1), (OTHER, 15)]
        assert [*keys.moduli_after(connection, first)] == [(OTHER, 15)]


@pytest.mark.usefixtures("customer")
def test_what_is_certified_under_a_key_is_found_until_it_is_revoked_or_ends(
    database: Database, customer: Customer, reserve: Callable[..., Any], now: datetime
) -> None:
    record, _ = reserve(customer.tsp_id)
    reserve(customer.tsp_id, 0x1B)
    with database.write(now, "tester") as transaction:
        connection = transaction.connection
        pin = requests.find(connection, record.request_id).request.spki_pin
        assert keys.certified_and_banned(connection, now) == ()
        keys.ban(transaction, pin, BanCause.OPERATOR, "by mail")
        found = ((record.serial, customer.tsp_id),)
        assert keys.certified(connection, pin, now) == keys.certified_and_banned(connection, now) == found
        late = record.not_after + timedelta(seconds=1)
        assert keys.certified(connection, pin, late) == keys.certified_and_banned(connection, late) == ()
        certificates.revoke(transaction, record.serial, RevocationReason.KEY_COMPROMISE)
        assert keys.certified(connection, pin, now) == keys.certified_and_banned(connection, now) == ()
