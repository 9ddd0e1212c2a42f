"""Who has taken the contract since a moment, of those who can call."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from bothways.pki.chain import certificate_der
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import bundles, certificates, contracts, customers
from bothways.store.certificates import StoredCertificate
from bothways.store.contracts import Taken, Way
from bothways.store.database import Database

HOUR = timedelta(hours=1)


def behind(database: Database, since: datetime, now: datetime, after: str = "", limit: int = 10) -> list[str]:
    with database.read() as connection:
        found = contracts.behind(connection, since, now, after, limit)
        if not after:
            assert contracts.count_behind(connection, since, now) == len(found)
    return [*found]


@pytest.fixture
def certified(
    database: Database,
    reserve: Callable[..., tuple[StoredCertificate, x509.Certificate]],
    customer: Customer,
    other: Customer,
    now: datetime,
) -> dict[str, str]:
    """Two customers that can call, with the serial number of each one's certificate."""
    found = {}
    for serial, each in enumerate((customer, other), 0x1A):
        record, certificate = reserve(each.tsp_id, serial)
        with database.write(now, "tester") as transaction:
            certificates.complete_all(transaction, {record.serial: certificate_der(certificate)})
        found[each.tsp_id] = record.serial
    return found


def test_who_can_call_is_behind_until_it_has_taken_the_contract_since(
    database: Database, certified: dict[str, str], now: datetime
) -> None:
    (first, second), since = certified, now + HOUR
    assert behind(database, since, now) == [first, second]
    assert behind(database, since, now, first) == [second]
    assert behind(database, since, now, after="0", limit=1) == [first]
    with database.write(since - timedelta(seconds=1), "tester") as transaction:
        contracts.take(transaction, first, Way.FETCHED)
    assert behind(database, since, now) == [first, second]
    with database.write(since, "tester") as transaction:
        contracts.take(transaction, first, Way.IN_FORCE)
        bundles.add(transaction, "1a", second, "f" * 64)
    assert behind(database, since, now) == []
    with database.read() as connection:
        assert contracts.last_taken(connection, first) == Taken(since, Way.IN_FORCE)
        assert contracts.last_taken(connection, second) == Taken(since, Way.BUNDLE)


def test_what_came_last_counts_whichever_way_it_came(
    database: Database, certified: dict[str, str], now: datetime
) -> None:
    first, second = certified
    for hours, way in ((1, Way.FETCHED), (3, Way.PORTAL)):
        with database.write(now + hours * HOUR, "tester") as transaction:
            contracts.take(transaction, first, way)
    with database.write(now + 2 * HOUR, "tester") as transaction:
        bundles.add(transaction, "1a", first, "f" * 64)
        assert contracts.last_taken(transaction.connection, first) == Taken(now + 3 * HOUR, Way.PORTAL)
        assert contracts.last_taken(transaction.connection, second) is None


def test_who_cannot_call_or_never_had_another_contract_is_not_behind(
    database: Database, certified: dict[str, str], now: datetime
) -> None:
    first, second = certified
    new = Customer("99999999", CustomerKind.ISSUER, "New Bank", now)
    with database.write(now, "tester") as transaction:
        customers.add(transaction, new)
        certificates.revoke(transaction, certified[second], RevocationReason.SUPERSEDED)
    # The new one has no certificate, the second has a revoked one.
    assert behind(database, now + HOUR, now) == [first]
    assert behind(database, now + HOUR, now + timedelta(days=398)) == []
    assert behind(database, now, now) == []
    with database.write(now, "tester") as transaction:
        customers.remove(transaction, first)
    assert behind(database, now + HOUR, now) == []
