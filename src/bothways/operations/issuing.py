"""The second half of every approval: what is reserved is signed outside of any transaction, and stored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
from bothways.store.requests import StoredRequest, UnprovedRequest
from bothways.verification.process import possession_of, signature_by

GROUP = 400
"""Certificates that share their transactions: writing to disk costs little beside the rest, a look is not far away."""

_Item = TypeVar("_Item")


def in_groups(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield the items in groups, in their order."""
    for start in range(0, len(items), GROUP):
        yield items[start : start + GROUP]


def proofs(hub: Hub, found: Mapping[int, UnprovedRequest]) -> Callable[[int], StoredRequest]:
    """Return what gives each of these requests by its number, with its proof of possession looked at again.

    It raises `Refused`. In the order of `found`, it waits the least: meanwhile others are looked at elsewhere.
    """
    every = list(found.values())
    places = {each.id: place for place, each in enumerate(every)}
    asked = hub.verifier.ask(len(every))
    for each in every:
        asked.add(possession_of(each.der))

    def proved(number: int) -> StoredRequest:
        vouched = asked.holds(places[number], lambda place: every[place].reading.possessed)
        return found[number].proved(vouched=vouched)

    return proved


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
    asked = hub.verifier.ask(len(wanted))
    signatures = []
    for each in wanted:
        key = keys[each.authority_id]
        signatures.append(key.signer.sign(each.unsigned))
        asked.add(signature_by(key.spki, each.unsigned.der, signatures[-1]))

    def verify(place: int) -> None:
        record = wanted[place]
        _require_signature(record, signatures[place], keys[record.authority_id].public_key)

    signed = {
        each.serial: issue.signed(each.unsigned, signature) for each, signature in zip(wanted, signatures, strict=True)
    }
    with hub.write() as transaction:
        ours = certificates.complete_all(transaction, signed)
        transaction.audit_all(
            Line("certificate.issue", each.serial, {"customer": each.tsp_id}) for each in records if each.serial in ours
        )
        found = tuple(
            replace(each, der=signed[each.serial], fingerprint=sha256(signed[each.serial]))
            if each.serial in ours
            # Another process was faster, and its signature stands; or the approval was withdrawn meanwhile.
            else certificates.find(transaction.connection, each.serial)
            for each in records
        )
        # The last thing before it is on disk: whatever does not hold undoes all of it.
        for place in range(len(wanted)):
            asked.holds(place, verify)
        return found


@dataclass(frozen=True, slots=True)
class _IssuingKey:
    signer: Signer
    public_key: CertificatePublicKeyTypes
    spki: bytes


def _keys(hub: Hub, numbers: set[int]) -> dict[int, _IssuingKey]:
    with hub.read() as connection:
        issuers = {number: authorities.authority_by_id(connection, number) for number in numbers}
    found = {}
    for number, each in issuers.items():
        key = each.certificate.public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        found[number] = _IssuingKey(hub.keys.signer_of(each.certificate, each.key_name), key, spki)
    return found


def _require_signature(record: StoredCertificate, signature: bytes, key: CertificatePublicKeyTypes) -> None:
    try:
        issue.require_signature(record.unsigned.der, signature, key)
    except InvalidSignature as error:
        raise Unusable(
            f"the issuing CA's key made a signature for certificate {record.serial} that does not hold. It was thrown "
            "away, and nothing was issued. Check the token or the machine, then start the hub, which tries again."
        ) from error
