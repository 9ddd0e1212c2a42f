from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from sqlalchemy.exc import IntegrityError

from bothways.errors import NotFound
from bothways.pki.chain import certificate_der, fingerprint
from bothways.pki.revocation import RevocationReason, Revoked
from bothways.registry.customer import Customer
from bothways.store import certificates
from bothways.store.certificates import StoredCertificate
from bothways.store.database import Database

Reserving = Callable[..., tuple[StoredCertificate, x509.Certificate]]


def complete(database: Database, now: datetime, serial: str, signed: x509.Certificate) -> bool:
    with database.write(now, "tester") as transaction:
        return bool(certificates.complete_all(transaction, {serial: certificate_der(signed)}))


def test_what_is_reserved_is_found_with_its_bytes_and_without_a_signature(
    database: Database, customer: Customer, reserve: Reserving
) -> None:
    record, _ = reserve(customer.tsp_id)
    with database.read() as connection:
        assert certificates.find(connection, record.serial) == record
        assert certificates.unfinished(connection) == (record,)


def test_the_signed_certificate_completes_it(
    database: Database, customer: Customer, reserve: Reserving, now: datetime
) -> None:
    record, signed = reserve(customer.tsp_id)
    assert complete(database, now, record.serial, signed)
    done = replace(record, der=certificate_der(signed), fingerprint=fingerprint(signed))
    with database.read() as connection:
        assert certificates.unfinished(connection) == ()
        assert certificates.find(connection, record.serial) == done
        assert certificates.by_fingerprint(connection, fingerprint(signed)) == done


def test_the_first_signature_stands(database: Database, customer: Customer, reserve: Reserving, now: datetime) -> None:
    record, signed = reserve(customer.tsp_id)
    _, later = reserve(customer.tsp_id, 0x2B)
    assert complete(database, now, record.serial, signed)
    assert not complete(database, now, record.serial, later)
    with database.read() as connection:
        assert certificates.find(connection, record.serial).der == certificate_der(signed)


def test_of_many_signatures_those_stand_that_were_first(
    database: Database, customer: Customer, reserve: Reserving, now: datetime
) -> None:
    (early, signed), (late, other) = reserve(customer.tsp_id, 0x1A), reserve(customer.tsp_id, 0x2B)
    untouched, _ = reserve(customer.tsp_id, 0x3C)
    assert complete(database, now, early.serial, signed)
    both = {early.serial: certificate_der(other), late.serial: certificate_der(other)}
    with database.write(now, "tester") as transaction:
        assert certificates.complete_all(transaction, both) == {late.serial}
        assert certificates.complete_all(transaction, {}) == frozenset()
    with database.read() as connection:
        found = certificates.of_requests(connection, [early.request_id, late.request_id, 99])
        assert {number: each.der for number, each in found.items()} == {
            early.request_id: certificate_der(signed),
            late.request_id: certificate_der(other),
        }
        assert certificates.unfinished(connection) == (untouched,)


def test_a_serial_number_is_found_in_capitals_too(database: Database, customer: Customer, reserve: Reserving) -> None:
    record, _ = reserve(customer.tsp_id, 0xABCDEF)
    with database.read() as connection:
        assert certificates.find(connection, "ABCDEF") == record


def test_a_serial_number_is_given_once(customer: Customer, reserve: Reserving) -> None:
    reserve(customer.tsp_id)
    with pytest.raises(IntegrityError, match=r"certificate\.(serial|uri_id)"):
        reserve(customer.tsp_id)


def test_a_revocation_keeps_its_moment_and_reason_and_touches_no_other(
    database: Database, customer: Customer, reserve: Reserving, now: datetime
) -> None:
    first, second = reserve(customer.tsp_id, 1)[0], reserve(customer.tsp_id, 2)[0]
    with database.write(now, "tester") as transaction:
        certificates.revoke(transaction, first.serial, RevocationReason.KEY_COMPROMISE)
    with database.read() as connection:
        assert certificates.find(connection, first.serial) == replace(
            first, revoked_at=now, revoked_reason="keyCompromise"
        )
        assert certificates.find(connection, second.serial) == second


def test_its_use_is_seen(database: Database, customer: Customer, reserve: Reserving, now: datetime) -> None:
    first, second = reserve(customer.tsp_id, 1)[0], reserve(customer.tsp_id, 2)[0]
    with database.write(now, "tester") as transaction:
        certificates.see(transaction, first.serial)
    with database.read() as connection:
        assert certificates.find(connection, first.serial).seen_at == now
        assert certificates.find(connection, second.serial).seen_at is None


def test_the_first_use_is_kept(database: Database, customer: Customer, reserve: Reserving, now: datetime) -> None:
    serial = reserve(customer.tsp_id)[0].serial
    for minutes in (0, 5):
        with database.write(now + timedelta(minutes=minutes), "tester") as transaction:
            certificates.see(transaction, serial)
    with database.read() as connection:
        record = certificates.find(connection, serial)
    assert (record.first_seen_at, record.seen_at) == (now, now + timedelta(minutes=5))


def test_revocations_are_counted_for_ever_and_listed_until_the_certificate_ends(
    database: Database, customer: Customer, reserve: Reserving, now: datetime
) -> None:
    first, second = reserve(customer.tsp_id, 1)[0], reserve(customer.tsp_id, 2)[0]
    reserve(customer.tsp_id, 3)
    for record, reason in ((second, RevocationReason.SUPERSEDED), (first, RevocationReason.KEY_COMPROMISE)):
        with database.write(now + timedelta(hours=record.request_id), "tester") as transaction:
            certificates.revoke(transaction, record.serial, reason)
    with database.read() as connection:
        number = first.authority_id
        assert certificates.revocations(connection, number) == 2
        assert certificates.revocations(connection, number + 1) == 0
        assert certificates.revoked_since(connection, number, first.not_after) == (
            Revoked(1, now + timedelta(hours=first.request_id), RevocationReason.KEY_COMPROMISE),
            Revoked(2, now + timedelta(hours=second.request_id), RevocationReason.SUPERSEDED),
        )
        assert certificates.revoked_since(connection, number, first.not_after + timedelta(seconds=1)) == ()
        assert certificates.revoked_since(connection, number + 1, now) == ()


def test_certificates_are_listed_oldest_first_and_by_customer(
    database: Database, customer: Customer, other: Customer, reserve: Reserving
) -> None:
    records = [reserve(each.tsp_id, serial)[0] for each, serial in ((other, 9), (customer, 5), (other, 7))]
    with database.read() as connection:
        assert certificates.every(connection) == tuple(records)
        assert certificates.every(connection, other.tsp_id) == (records[0], records[2])


def test_the_state_is_said_in_a_word(customer: Customer, reserve: Reserving, now: datetime) -> None:
    record, signed = reserve(customer.tsp_id)
    done = replace(record, der=certificate_der(signed))
    assert record.state(now) == "being signed"
    assert done.state(now) == "issued"
    assert done.state(done.not_after - timedelta(microseconds=1)) == "issued"
    assert done.state(done.not_after) == "expired"
    assert replace(done, seen_at=now).state(now) == "in use"
    assert replace(done, revoked_at=now).state(done.not_after) == "revoked"
    assert replace(done, revoked_at=now, revoked_reason="superseded").state(now) == "superseded"
    assert [each.usable(now) for each in (record, done, replace(done, seen_at=now), replace(done, revoked_at=now))] == [
        False,
        True,
        True,
        False,
    ]
    assert replace(record, revoked_at=now).state(now) == "revoked"


def test_the_document_holds_no_bytes_and_all_facts(customer: Customer, reserve: Reserving, now: datetime) -> None:
    record, _ = reserve(customer.tsp_id)
    assert replace(record, revoked_at=now, revoked_reason="superseded").document(now) == {
        "serial": "1a",
        "customer": "12345678",
        "request": record.request_id,
        "uri_id": "urn:bothways:PPR:12345678:1a",
        "fingerprint": None,
        "state": "superseded",
        "not_before": "2026-11-23T11:55:00+00:00",
        "not_after": "2027-12-25T12:00:00+00:00",
        "revoked_at": "2026-11-23T12:00:00+00:00",
        "revoked_reason": "superseded",
        "first_seen_at": None,
        "seen_at": None,
    }


def test_what_is_unknown_is_not_found(database: Database) -> None:
    with database.read() as connection:
        with pytest.raises(NotFound, match=r"there is no certificate 99. Look at: "):
            certificates.find(connection, "99")
        with pytest.raises(NotFound, match="no certificate with the fingerprint ff"):
            certificates.by_fingerprint(connection, "ff")


def test_what_ends_until_a_moment_is_found_and_what_is_named(
    database: Database, customer: Customer, reserve: Reserving, now: datetime
) -> None:
    (first, signed), (second, other), (third, _) = (reserve(customer.tsp_id, serial) for serial in (1, 2, 3))
    end = first.not_after
    with database.write(now, "tester") as transaction:
        certificates.complete_all(transaction, {first.serial: certificate_der(signed)})
        certificates.complete_all(transaction, {second.serial: certificate_der(other)})
        certificates.revoke(transaction, second.serial, RevocationReason.SUPERSEDED)
    wanted = (first.serial, customer.tsp_id, end)
    with database.read() as connection:
        assert certificates.ending(connection, now, end) == (wanted,)
        assert certificates.ending(connection, now, end - timedelta(seconds=1)) == ()
        everything = [each.serial for each in (first, second, third)]
        assert certificates.ending(connection, now, now, everything) == (wanted,)
        assert certificates.ending(connection, end, end) == ()
        assert [certificates.living(connection, first.authority_id, at) for at in (now, end)] == [2, 0]
        assert certificates.last_end(connection, first.authority_id) == end
        assert certificates.last_end(connection, first.authority_id + 1) is None
