"""What a customer's CA returned for a request of the hub's (R13): read, matched to the key, ordered, and judged."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.errors import Refused
from bothways.findings import Finding, Level
from bothways.pki.chain import certificate_pem, extension, issued_by, readable
from bothways.pki.encoding import CHAIN_LIMIT, UNREADABLE, certificates_der
from bothways.pki.keys import spki_pin

SOON = timedelta(days=30)
"""An end that is nearer than this is told at once: the next request is due when this certificate arrives."""

_PKCS7 = re.compile(rb"-----BEGIN PKCS ?#?7-----[^-]*-----END PKCS ?#?7-----")
_SEQUENCE = b"\x30"
_HASHES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Returned:
    """The certificates that the hub shows: the end entity, then each issuer that came with it, without a root.

    `spki_pin` is that of the key that it is for; `findings` are warnings and notes.
    """

    chain: tuple[x509.Certificate, ...]
    spki_pin: str
    findings: tuple[Finding, ...]


def read_returned(data: bytes, subject: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates in `data`: PEM (any number, in any order), DER (one), or PKCS #7 (RFC 2315) in either.

    Raises `Refused` if there is none, if one cannot be read, or if a private key stands beside them.
    """
    try:
        found = certificates_der(_without_pkcs7(data), subject)
        return tuple(dict.fromkeys(readable(x509.load_der_x509_certificate(der)) for der in found))
    except UNREADABLE as error:
        raise Refused((_error("CLIENT-FILE-01", f"a certificate cannot be read: {error}", subject),)) from error


def judge_returned(
    found: Sequence[x509.Certificate],
    wanted: Sequence[CertificatePublicKeyTypes],
    asked: x509.Name,
    now: datetime,
    subject: str,
) -> Returned:
    """Return the certificate among those `found` that is for one of the keys `wanted`, with its issuers in order.

    `asked` is the subject of the request. Raises `Refused` with everything that is wrong.
    """
    pins = {spki_pin(each) for each in wanted}
    own = next((each for each in found if spki_pin(each.public_key()) in pins), None)
    if own is None:
        names = "; ".join(each.subject.rfc4514_string() for each in found)
        message = f"no certificate is for the key of the request; found {names}"
        raise Refused((_error("CLIENT-KEY-01", message, subject),))
    path = _path(own, found)
    findings = (
        *_end_entity_findings(own, subject),
        *_issuer_findings(path[1:], subject),
        *_date_findings(path, now, subject),
        *_digest_findings(path, subject),
        *_notes(own, path, found, asked, now, subject),
    )
    if any(each.level is Level.ERROR for each in findings):
        raise Refused(findings)
    # A root is sent to nobody: who does not have it would not believe it.
    sent = tuple(each for each in path if each is own or not issued_by(each, each))
    return Returned(sent, spki_pin(own.public_key()), findings)


def _without_pkcs7(data: bytes) -> bytes:
    """Return the file with the certificates that PKCS #7 holds in its place; the rest stays, to be looked at."""
    if len(data) > CHAIN_LIMIT:
        return data
    if data[:1] == _SEQUENCE:
        try:
            return _in_pem(pkcs7.load_der_pkcs7_certificates(data))
        except UNREADABLE:
            return data
    return _PKCS7.sub(lambda block: _in_pem(pkcs7.load_pem_pkcs7_certificates(_labelled(block[0]))), data)


def _labelled(block: bytes) -> bytes:
    return re.sub(rb"PKCS ?#?7", b"PKCS7", block)


def _in_pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return "".join(certificate_pem(each) for each in certificates).encode()


def _path(own: x509.Certificate, found: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    path = [own]
    while issuer := next((each for each in found if each not in path and issued_by(path[-1], each)), None):
        path.append(issuer)
    return tuple(path)


def _end_entity_findings(own: x509.Certificate, subject: str) -> Iterator[Finding]:
    constraints = extension(own, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield _error("CLIENT-CA-01", "it is the certificate of a CA; one of an end entity is wanted", subject)
    purposes = extension(own, x509.ExtendedKeyUsage)
    if purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        message = "its extended key usage has no clientAuth, which TLS servers want of a client"
        yield _error("CLIENT-USE-01", message, subject)
    usage = extension(own, x509.KeyUsage)
    if usage is not None and not usage.digital_signature:
        message = "its key usage has no digitalSignature, with which a TLS client proves that it has the key"
        yield _error("CLIENT-USE-02", message, subject)


def _issuer_findings(issuers: Sequence[x509.Certificate], subject: str) -> Iterator[Finding]:
    for each in issuers:
        constraints = extension(each, x509.BasicConstraints)
        if constraints is None or not constraints.ca:
            name = each.subject.rfc4514_string()
            yield _error("CLIENT-CHAIN-01", f"{name} issued a certificate, and is no CA (BasicConstraints)", subject)


def _date_findings(path: Sequence[x509.Certificate], now: datetime, subject: str) -> Iterator[Finding]:
    for each in path:
        begin, end = each.not_valid_before_utc, each.not_valid_after_utc
        if not begin <= now < end:
            name = each.subject.rfc4514_string()
            message = f"{name} is valid from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, not now"
            yield _error("CLIENT-DATE-01", message, subject)


def _digest_findings(path: Sequence[x509.Certificate], subject: str) -> Iterator[Finding]:
    for each in path:
        digest = each.signature_hash_algorithm
        # Nobody verifies a root's own signature; Ed25519 has no digest of its own.
        if digest is not None and digest.name not in _HASHES and each.subject != each.issuer:
            name = each.subject.rfc4514_string()
            message = f"{name} is signed with {digest.name}; sha256 or better is wanted"
            yield _error("CLIENT-KEY-02", message, subject)


def _notes(
    own: x509.Certificate,
    path: Sequence[x509.Certificate],
    found: Sequence[x509.Certificate],
    asked: x509.Name,
    now: datetime,
    subject: str,
) -> Iterator[Finding]:
    end = own.not_valid_after_utc
    if now < end < now + SOON:
        message = f"it ends on {end:%Y-%m-%d} already, in less than {SOON.days} days"
        yield _note("CLIENT-DATE-02", message, "Ask for one that lives longer, or renew it now.", subject)
    if own.subject != asked:
        message = f"its subject is {own.subject.rfc4514_string()}, and {asked.rfc4514_string()} was asked for"
        yield _note("CLIENT-SUBJECT-01", message, "Ask the customer whether that is meant.", subject)
    if left := [each.subject.rfc4514_string() for each in found if each not in path]:
        message = f"{'; '.join(left)} did not issue it, and is left out"
        yield _note("CLIENT-CHAIN-02", message, "Nothing has to be done, if the customer agrees.", subject)
    if len(path) == 1:
        message = f"its issuer {own.issuer.rfc4514_string()} did not come with it, and cannot be sent to the server"
        hint = "Nothing has to be done, if the customer's server has that CA; else install it again with its issuers."
        yield _note("CLIENT-CHAIN-03", message, hint, subject)


def _error(id: str, message: str, subject: str) -> Finding:  # noqa: A002 - as in Finding
    hint = "Ask the customer for a TLS client certificate made of the last request: bothways outbound show."
    return Finding(id, message, hint, "R13; RFC 5280 section 4.2.1", subject)


def _note(id: str, message: str, hint: str, subject: str) -> Finding:  # noqa: A002 - as in Finding
    return Finding(id, message, hint, "R13", subject, Level.WARNING)
