"""The second half of every approval: what is reserved is signed outside of any transaction, and stored."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.errors import Unusable
from bothways.operations.hub import Hub, serial_number
from bothways.operations.revocation import list_address
from bothways.pki import issue, profile
from bothways.pki.issue import Unsigned
from bothways.pki.keys import sha256
from bothways.signer.signer import Signer
from bothways.store import authorities, certificates
from bothways.store.audit import Line
from bothways.store.authorities import Authority
from bothways.store.certificates import StoredCertificate
from bothways.store.requests import StoredRequest

GROUP = 400
"""Certificates that share their transactions: writing to disk costs little beside the rest, a look is not far away."""

_Item = TypeVar("_Item")


def in_groups(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield the items in groups, in their order."""
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]


def reserved_certificate(hub: Hub, now: datetime, authority: Authority, stored: StoredRequest) -> StoredCertificate:
    """Return the certificate that a request gets: its serial number and the bytes to be signed, not stored yet."""
    serial = serial_number()
    wanted = profile.customer_client(
        stored.request,
        hub.environment,
        stored.tsp_id,
        serial,
        now,
        timedelta(days=hub.terms.certificate.validity_days),
        list_address(hub, authority.id),
    )
    unsigned: Unsigned = issue.issued_by(authority.certificate, wanted, serial)
    return StoredCertificate(
        serial=f"{serial:x}",
        request_id=stored.id,
        tsp_id=stored.tsp_id,
        authority_id=authority.id,
        uri_id=profile.uri_id(hub.environment, stored.tsp_id, serial),
        unsigned=unsigned,
        der=None,
        fingerprint=None,
        not_before=wanted.not_before,
        not_after=min(wanted.not_after, authority.certificate.not_valid_after_utc),
        revoked_at=None,
        revoked_reason=None,
        seen_at=None,
    )


def sign_reserved(hub: Hub, records: Sequence[StoredCertificate]) -> tuple[StoredCertificate, ...]:
    """Sign the stored bytes of approved certificates, verify and store the signatures; safe to repeat.

    What was revoked before it was signed is never signed.

    Returns the certificates as they are stored, in the order of `records`. Raises `Unusable` if a key is out of reach,
    or signs wrongly; none of them is stored then, and the same bytes are signed the next time.
    """
    wanted = [each for each in records if each.der is None and each.revoked_at is None]
    keys = _keys(hub, {each.authority_id for each in wanted})
    signed = {each.serial: _signed(each, *keys[each.authority_id]) for each in wanted}
    with hub.write() as transaction:
        ours = certificates.complete_all(transaction, signed)
        transaction.audit_all(
            Line("certificate.issue", each.serial, {"customer": each.tsp_id}) for each in records if each.serial in ours
        )
        return tuple(
            replace(each, der=signed[each.serial], fingerprint=sha256(signed[each.serial]))
            if each.serial in ours
            # Another process was faster, and its signature stands; or the approval was withdrawn meanwhile.
            else certificates.find(transaction.connection, each.serial)
            for each in records
        )


def _keys(hub: Hub, numbers: set[int]) -> dict[int, tuple[Signer, CertificatePublicKeyTypes]]:
    with hub.read() as connection:
        issuers = {number: authorities.authority_by_id(connection, number) for number in numbers}
    return {
        number: (hub.keys.signer_of(each.certificate, each.key_name), each.certificate.public_key())
        for number, each in issuers.items()
    }


def _signed(record: StoredCertificate, signer: Signer, key: CertificatePublicKeyTypes) -> bytes:
    try:
        return issue.assemble_verified(record.unsigned, signer.sign(record.unsigned), key)
    except InvalidSignature as error:
        raise Unusable(
            f"the issuing CA's key made a signature for certificate {record.serial} that does not hold. It was thrown "
            "away, and nothing was issued. Check the token or the machine, then start the hub, which tries again."
        ) from error
