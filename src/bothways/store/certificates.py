"""Customers' client certificates in the database: from the bytes to be signed to revocation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from bothways.errors import NotFound
from bothways.pki.issue import Unsigned
from bothways.pki.keys import sha256
from bothways.pki.revocation import RevocationReason, Revoked
from bothways.store.database import Transaction
from bothways.store.instant import Instant
from bothways.store.schema import certificate


class CertificateState(StrEnum):
    """Where a certificate is in its life. It opens the endpoint while it is issued or in use."""

    SIGNING = "being signed"
    ISSUED = "issued"
    IN_USE = "in use"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate; `der` is None until it is signed. `serial` is hex, as in the URI-ID."""

    serial: str
    request_id: int
    tsp_id: str
    authority_id: int
    uri_id: str
    unsigned: Unsigned
    der: bytes | None
    fingerprint: str | None
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None
    revoked_reason: str | None
    seen_at: datetime | None
    first_seen_at: datetime | None = None

    def state(self, now: datetime) -> CertificateState:
        """Return the state; what was revoked because another took its place, is superseded."""
        if self.revoked_at:
            superseded = self.revoked_reason == RevocationReason.SUPERSEDED
            return CertificateState.SUPERSEDED if superseded else CertificateState.REVOKED
        if self.der is None:
            return CertificateState.SIGNING
        if now >= self.not_after:
            return CertificateState.EXPIRED
        return CertificateState.IN_USE if self.seen_at else CertificateState.ISSUED

    def usable(self, now: datetime) -> bool:
        """Tell whether it opens the endpoint now."""
        return self.state(now) in {CertificateState.ISSUED, CertificateState.IN_USE}

    def document(self, now: datetime) -> dict[str, Any]:
        """Return the certificate as the JSON object that API and command line show."""
        return {
            "serial": self.serial,
            "customer": self.tsp_id,
            "request": self.request_id,
            "uri_id": self.uri_id,
            "fingerprint": self.fingerprint,
            "state": self.state(now),
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "revoked_at": self.revoked_at and self.revoked_at.isoformat(),
            "revoked_reason": self.revoked_reason,
            "first_seen_at": self.first_seen_at and self.first_seen_at.isoformat(),
            "seen_at": self.seen_at and self.seen_at.isoformat(),
        }


# Made once: a statement costs more to make than to run.
_RESERVE = insert(certificate)
_UNSIGNED = select(certificate.c.serial).where(
    certificate.c.serial.in_(bindparam("serials", expanding=True)),
    certificate.c.der.is_(None),
    certificate.c.revoked_at.is_(None),
)
_COMPLETE = (
    update(certificate)
    .where(certificate.c.serial == bindparam("number"))
    .values(der=bindparam("signed"), fingerprint=bindparam("digest"))
)
_OF_REQUESTS = select(certificate).where(certificate.c.request_id.in_(bindparam("numbers", expanding=True)))


def reserve_all(transaction: Transaction, records: Collection[StoredCertificate]) -> None:
    """Store the serial numbers and the bytes to be signed, before any key sees them."""
    rows = [
        {
            "serial": record.serial,
            "request_id": record.request_id,
            "tsp_id": record.tsp_id,
            "authority_id": record.authority_id,
            "uri_id": record.uri_id,
            "unsigned": record.unsigned.der,
            "not_before": record.not_before,
            "not_after": record.not_after,
        }
        for record in records
    ]
    if rows:
        transaction.connection.execute(_RESERVE, rows)


def complete_all(transaction: Transaction, signed: Mapping[str, bytes]) -> frozenset[str]:
    """Store signed certificates (DER) by serial number; return the numbers of those that were stored.

    For the others another process was faster, or the approval was withdrawn.
    """
    waiting = frozenset(transaction.connection.scalars(_UNSIGNED, {"serials": list(signed)}))
    rows = [
        {"number": serial, "signed": der, "digest": sha256(der)} for serial, der in signed.items() if serial in waiting
    ]
    if rows:
        transaction.connection.execute(_COMPLETE, rows)
    return waiting


def of_requests(connection: Connection, numbers: Collection[int]) -> dict[int, StoredCertificate]:
    """Return by the number of their request the certificates of these requests, signed or not."""
    found = _stored(connection.execute(_OF_REQUESTS, {"numbers": list(numbers)}).all())
    return {each.request_id: each for each in found}


def unfinished(connection: Connection) -> tuple[StoredCertificate, ...]:
    """Return the certificates whose signature is missing and still wanted."""
    wanted = select(certificate).where(certificate.c.der.is_(None), certificate.c.revoked_at.is_(None))
    # Put in order here: SQLite would go through all there are in that order, past the index of the few.
    return tuple(sorted(_stored(connection.execute(wanted).all()), key=lambda each: each.request_id))


def find(connection: Connection, serial: str) -> StoredCertificate:
    """Return a certificate by its serial number in hex. Raises `NotFound`."""
    if rows := _stored(connection.execute(select(certificate).where(certificate.c.serial == serial.lower())).all()):
        return rows[0]
    raise absent(serial)


def absent(serial: str) -> NotFound:
    """Return the error that says that there is no such certificate."""
    return NotFound(f"there is no certificate {serial}.", "Look at: bothways certificate list")


def by_fingerprint(connection: Connection, digest: str) -> StoredCertificate:
    """Return a certificate by its fingerprint. Raises `NotFound`."""
    if found := by_fingerprints(connection, (digest,)):
        return found[digest]
    raise NotFound(f"there is no certificate with the fingerprint {digest}.")


def by_fingerprints(connection: Connection, digests: Collection[str]) -> dict[str, StoredCertificate]:
    """Return certificates by their fingerprint; one that is on no record is not in it."""
    rows = connection.execute(select(certificate).where(certificate.c.fingerprint.in_(digests))).all()
    return {each.fingerprint or "": each for each in _stored(rows)}


def by_request(connection: Connection, request_id: int) -> StoredCertificate | None:
    """Return the certificate that came of a request, if one did."""
    return of_requests(connection, (request_id,)).get(request_id)


def every(
    connection: Connection, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[StoredCertificate, ...]:
    """Return certificates, of all customers or of one, in the order of their requests, after a request's number."""
    query = select(certificate).where(certificate.c.request_id > after).order_by(certificate.c.request_id).limit(limit)
    if tsp_id is not None:
        query = query.where(certificate.c.tsp_id == tsp_id)
    return _stored(connection.execute(query).all())


def revoke(transaction: Transaction, serial: str, reason: RevocationReason) -> None:
    """Record the revocation."""
    transaction.connection.execute(
        update(certificate)
        .where(certificate.c.serial == serial)
        .values(revoked_at=transaction.now, revoked_reason=reason.value)
    )


def ending(
    connection: Connection, now: datetime, until: datetime, also: Collection[str] = ()
) -> tuple[tuple[str, str, datetime], ...]:
    """Return serial number, tspId and end of what is in force at `now` and ends until then, and of those in `also`."""
    columns = certificate.c.serial, certificate.c.tsp_id, certificate.c.not_after
    in_force = certificate.c.der.is_not(None), certificate.c.revoked_at.is_(None), certificate.c.not_after > now
    soon = select(*columns).where(*in_force, certificate.c.not_after <= until)
    rows = {row.serial: row for row in connection.execute(soon)}
    for serial in also:
        named = select(*columns).where(*in_force, certificate.c.serial == serial)
        rows |= {row.serial: row for row in connection.execute(named)}
    return tuple((row.serial, row.tsp_id, row.not_after) for row in rows.values())


def living(connection: Connection, authority_id: int, now: datetime) -> int:
    """Return how many certificates of this CA are neither revoked nor expired, those that wait for it included."""
    count = select(func.count()).where(
        certificate.c.authority_id == authority_id, certificate.c.revoked_at.is_(None), certificate.c.not_after > now
    )
    return int(connection.execute(count).scalar_one())


def last_end(connection: Connection, authority_id: int) -> datetime | None:
    """Return when the last certificate of this CA ends or ended, revoked ones included; None if it signed none."""
    last = select(func.max(certificate.c.not_after, type_=Instant)).where(certificate.c.authority_id == authority_id)
    found: datetime | None = connection.execute(last).scalar_one()
    return found


def revocations(connection: Connection, authority_id: int) -> int:
    """Return how many certificates of this CA were ever revoked. It only grows."""
    revoked = certificate.c.revoked_at.is_not(None)
    count = select(func.count()).where(certificate.c.authority_id == authority_id, revoked)
    return int(connection.execute(count).scalar_one())


def revoked_since(connection: Connection, authority_id: int, ended: datetime) -> tuple[Revoked, ...]:
    """Return the revoked certificates of this CA that had not expired at `ended`, oldest revocation first."""
    rows = connection.execute(
        select(certificate.c.serial, certificate.c.revoked_at, certificate.c.revoked_reason)
        .where(
            certificate.c.authority_id == authority_id,
            certificate.c.revoked_at.is_not(None),
            certificate.c.not_after >= ended,
        )
        .order_by(certificate.c.revoked_at, certificate.c.serial)
    )
    return tuple(Revoked(int(row.serial, 16), row.revoked_at, RevocationReason(row.revoked_reason)) for row in rows)


def see(transaction: Transaction, serial: str) -> None:
    """Record that the certificate was used just now."""
    transaction.connection.execute(
        update(certificate)
        .where(certificate.c.serial == serial)
        .values(seen_at=transaction.now, first_seen_at=func.coalesce(certificate.c.first_seen_at, transaction.now))
    )


def _stored(rows: "list[Row[Any]] | Any") -> tuple[StoredCertificate, ...]:
    return tuple(_record(dict(row._mapping)) for row in rows)  # noqa: SLF001


def _record(columns: dict[str, Any]) -> StoredCertificate:
    return StoredCertificate(**columns | {"unsigned": Unsigned(columns["unsigned"])})
