"""A chain as a customer presented it, and the rules under which its CAs can become trust anchors (R14)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.errors import Refused
from bothways.findings import Finding, Level
from bothways.pki.encoding import BROKEN_DIGESTS, UNREADABLE, certificates_der, pem
from bothways.pki.keys import described, sha256, spki_pin

_Value = TypeVar("_Value", bound=x509.ExtensionType)

_LENGTH_LIMIT = 10
_RSA_BITS_LEAST = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1)
_HASHES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class Chain:
    """CA certificates, each issued by the next; the last one is self-signed. No certificate stands twice."""

    certificates: tuple[x509.Certificate, ...]

    @property
    def pem(self) -> str:
        """The chain as PEM blocks, in order."""
        return "".join(certificate_pem(each) for each in self.certificates)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the self-signed CA at the end: what two people compare."""
        return fingerprint(self.certificates[-1])


def parse_chain(data: bytes, subject: str = "chain") -> Chain:
    """Return the chain in `data` (PEM, or DER of one), ordered and without duplicates.

    Raises `Refused` if it cannot be read, or if its certificates do not make one complete chain.
    """
    found = _certificates(data, subject)
    digests = {each: each.signature_hash_algorithm for each in found}
    if broken := [each for each, digest in digests.items() if digest and digest.name in BROKEN_DIGESTS]:
        raise Refused(tuple(finding for each in broken for finding in _digest_findings(each, subject)))
    return Chain(_ordered(found, subject))


def parse_anchors(data: bytes, subject: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates in `data` (PEM, or DER of one), each once and in any order: they need not make one chain.

    Raises `Refused` if they cannot be read.
    """
    return tuple(_certificates(data, subject))


def chain_findings(
    chain: Chain, now: datetime, own_spki_pins: frozenset[str], subject: str = "chain"
) -> tuple[Finding, ...]:
    """Return what the rules say about the chain as anchors; `own_spki_pins` are the keys of the hub's own CAs."""
    return tuple(
        finding
        for below, certificate in enumerate(chain.certificates)
        for finding in _certificate_findings(certificate, below, now, own_spki_pins, subject)
    )


def certificate_pem(certificate: x509.Certificate) -> str:
    """Return the certificate as one PEM block."""
    return pem("CERTIFICATE", certificate_der(certificate))


def certificate_der(certificate: x509.Certificate) -> bytes:
    """Return the certificate in DER."""
    return certificate.public_bytes(Encoding.DER)


def fingerprint(certificate: x509.Certificate) -> str:
    """Return SHA-256 of the DER certificate, as lower-case hex."""
    return sha256(certificate_der(certificate))


def readable(certificate: x509.Certificate) -> x509.Certificate:
    """Return the certificate once all of its parts could be read. Raises one of `UNREADABLE`."""
    # The library reads these parts only when they are asked for: here, so that rules meet none that cannot be read.
    certificate.public_key(), certificate.extensions, certificate.signature_hash_algorithm
    certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return certificate


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` issued the certificate: its name stands there, its key signed (RFC 5280 section 6.1)."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def extension(certificate: x509.Certificate, kind: type[_Value]) -> _Value | None:
    """Return the certificate's extension of this kind, or None if it has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _certificates(data: bytes, subject: str) -> list[x509.Certificate]:
    found: dict[bytes, x509.Certificate] = {}
    for der in certificates_der(data, subject):
        try:
            found[der] = readable(x509.load_der_x509_certificate(der))
        except UNREADABLE as error:
            raise Refused((_finding("CHAIN-FILE-01", f"a certificate cannot be read: {error}", subject),)) from error
    if len(found) > _LENGTH_LIMIT:
        message = f"{len(found)} certificates were found, at most {_LENGTH_LIMIT} are wanted"
        raise Refused((_finding("CHAIN-FILE-02", message, subject),))
    return list(found.values())


def _certificate_findings(
    certificate: x509.Certificate, below: int, now: datetime, own_spki_pins: frozenset[str], subject: str
) -> Iterator[Finding]:
    name = certificate.subject.rfc4514_string()
    constraints = extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        yield _finding(
            "CHAIN-CA-01", f"{name} is not a CA (BasicConstraints); the CAs of the server are wanted", subject
        )
    elif constraints.path_length is not None and constraints.path_length < below:
        message = f"{name} allows {constraints.path_length} CAs below it (pathLenConstraint), and {below} are"
        yield _finding("CHAIN-CA-03", message, subject)
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        yield _finding("CHAIN-CA-02", f"{name} may not sign certificates (KeyUsage)", subject)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        dates = f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
        yield _finding("CHAIN-DATE-01", f"{name} is valid from {dates}, not now", subject)
    key = certificate.public_key()
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS_LEAST) or (
        isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
    )
    if not strong:
        wanted = f"RSA with {_RSA_BITS_LEAST} bits or more, P-256 or P-384"
        yield _finding("CHAIN-KEY-01", f"the key of {name} is {described(key)}; {wanted} is wanted", subject)
    yield from _digest_findings(certificate, subject)
    if spki_pin(key) in own_spki_pins:
        yield _finding("CHAIN-OWN-01", f"{name} is the hub's own CA and vouches for no customer's server", subject)


def _digest_findings(certificate: x509.Certificate, subject: str) -> Iterator[Finding]:
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name not in _HASHES:
        name = certificate.subject.rfc4514_string()
        digest = algorithm.name if algorithm else "an unknown digest"
        yield _finding("CHAIN-KEY-02", f"{name} is signed with {digest}; sha256 or better is wanted", subject)


def _ordered(found: list[x509.Certificate], subject: str) -> tuple[x509.Certificate, ...]:
    issuers = [[each for each in found if each is not one and issued_by(one, each)] for one in found]
    starts = [one for one in found if not any(each is not one and issued_by(each, one) for each in found)]
    # A self-signed certificate that nothing here was issued by stands alone; otherwise it ends the chain.
    current = starts[0] if starts else found[0]
    ordered = [current]
    while not issued_by(current, current):
        candidates = issuers[next(index for index, one in enumerate(found) if one is current)]
        following = [each for each in candidates if each not in ordered]
        if not following:
            message = f"the issuer {current.issuer.rfc4514_string()} of {current.subject.rfc4514_string()} is missing"
            raise Refused((_finding("CHAIN-ORDER-01", message, subject),))
        current = following[0]
        ordered.append(current)
    if left := [each.subject.rfc4514_string() for each in found if each not in ordered]:
        message = f"{'; '.join(left)} belongs to another chain; one chain is wanted"
        raise Refused((_finding("CHAIN-ORDER-02", message, subject),))
    return tuple(ordered)


def _finding(id: str, message: str, subject: str) -> Finding:  # noqa: A002 - as in Finding
    hint = "Submit the CA chain of the server: its intermediates and its root, in PEM, and nothing else."
    return Finding(id, message, hint, "R14; RFC 5280 section 6.1", subject, Level.ERROR)
