"""Revocation: the reasons, and certificate revocation lists (CRLs, RFC 5280 section 5). Nothing is signed here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, lru_cache

from cryptography import x509

from bothways.pki import der
from bothways.pki.issue import algorithm
from bothways.pki.profile import BACKDATE

LIST_VALIDITY = timedelta(days=30)
"""From a CRL to its nextUpdate: how long Envoy may be left alone with it."""

LIST_INTERVAL = timedelta(days=1)
"""After which a CRL is published anew, whether anything was revoked or not."""

LIST_MARGIN = timedelta(days=1)
"""How long before its nextUpdate a CRL is no longer given to Envoy, which refuses everybody under an old one."""

_VERSION_2 = der.integer(1)
_EXTENSIONS = 0xA0
_ENUMERATED = 0x0A
_KEY_IDENTIFIER = 0x80


class RevocationReason(StrEnum):
    """Why a certificate is revoked (RFC 5280 section 5.3.1): the reasons that fit an end entity of ours.

    The others do not: cACompromise and aACompromise are about authorities, removeFromCRL is for delta CRLs, and
    certificateHold would be a second way to suspend, slower than `customer suspend` and taken by some verifiers for
    final.
    """

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


_CODES = {
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
}
"""Without `unspecified`, which is said by saying nothing (RFC 5280 section 5.3.1)."""


@dataclass(frozen=True, slots=True)
class Revoked:
    """One entry of a CRL: a serial number, when it was revoked, and why."""

    serial: int
    at: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True)
class UnsignedList:
    """A TBSCertList (RFC 5280 section 5.1) in DER: besides a linted certificate, all that an issuing key is given."""

    der: bytes


def unsigned_list(issuer: x509.Certificate, number: int, now: datetime, revoked: Iterable[Revoked]) -> UnsignedList:
    """Return the bytes of the complete CRL of one CA: `number` grows with each, thisUpdate is backdated as not-before.

    The extensions are AuthorityKeyIdentifier and CRLNumber, which RFC 5280 section 5.2 demands, and no other.
    """
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    entries = [_entry(each) for each in revoked]
    extensions = der.sequence(
        _extension("2.5.29.35", der.sequence(der.tagged(_KEY_IDENTIFIER, identifier))),
        _extension("2.5.29.20", der.integer(number)),
    )
    return UnsignedList(
        der.sequence(
            _VERSION_2,
            algorithm(issuer.public_key()),
            issuer.subject.public_bytes(),
            der.time(now - BACKDATE),
            der.time(now + LIST_VALIDITY),
            # An empty list of entries is left out (RFC 5280 section 5.1.2.6).
            der.sequence(*entries) if entries else b"",
            der.tagged(_EXTENSIONS, extensions),
        )
    )


def assemble_list(issuer: x509.Certificate, unsigned: UnsignedList, signature: bytes) -> x509.CertificateRevocationList:
    """Return the CRL. Raises `ValueError` if the issuer's key does not verify the signature."""
    public_key = issuer.public_key()
    made = x509.load_der_x509_crl(der.signed(unsigned.der, algorithm(public_key), signature))
    if not made.is_signature_valid(public_key):  # type: ignore[arg-type]
        raise ValueError("the signature of the revocation list does not verify under its CA")
    return made


@lru_cache(maxsize=1 << 17)
def _entry(revoked: Revoked) -> bytes:
    """Return one entry, which is in each list until its certificate has expired.

    Remembered for more than any list has: of a longer one, nothing would be found again.
    """
    reason = _reason(revoked.reason) if revoked.reason in _CODES else b""
    return der.sequence(der.integer(revoked.serial), der.time(revoked.at), reason)


@cache
def _reason(reason: RevocationReason) -> bytes:
    return der.sequence(_extension("2.5.29.21", der.tagged(_ENUMERATED, bytes((_CODES[reason],)))))


def _extension(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.tagged(der.OCTET_STRING, value))
