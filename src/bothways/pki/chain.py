"""Chains as customers present them: read, put into order, and shown to be complete. The rules stand in `anchors`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.errors import Refused
from bothways.findings import Finding, Level, errors
from bothways.pki.encoding import BROKEN_DIGESTS, UNREADABLE, certificates_der, pem
from bothways.pki.keys import sha256

_Value = TypeVar("_Value", bound=x509.ExtensionType)

_LENGTH_LIMIT = 10
_NAME_LIMIT = 200
_HINT = "Submit the CA chain of the server: its intermediates and its root, and nothing else."


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


@dataclass(frozen=True, slots=True)
class Presented:
    """What was handed in, each certificate once: `path` in order, each issued by the next, and what the order says.

    `findings` are errors if the path is no complete chain, or is not all there is. Whether signatures hold that were
    made with SHA-1 or MD5 nobody can tell: such a certificate is put behind whom it names, and refused by its rule.
    """

    path: tuple[x509.Certificate, ...]
    findings: tuple[Finding, ...]


def read_chain(data: bytes, subject: str = "chain") -> Presented:
    """Return the certificates in `data` (PEM, DER or PKCS #7), in order. Raises `Refused` if they cannot be read."""
    found, duplicates = _certificates(data, subject)
    path, rest = _ordered(found)
    return Presented(path, tuple(_order_findings(path, rest, subject)) + _notes(found, path, duplicates, subject))


def parse_chain(data: bytes, subject: str = "chain") -> Chain:
    """Return the chain in `data` (PEM, DER or PKCS #7), ordered and without duplicates.

    Raises `Refused` if it cannot be read, or if its certificates do not make one complete chain.
    """
    presented = read_chain(data, subject)
    if findings := errors(presented.findings):
        raise Refused(findings)
    return Chain(presented.path)


def parse_anchors(data: bytes, subject: str) -> tuple[x509.Certificate, ...]:
    """Return the certificates in `data` (PEM, DER or PKCS #7), each once, in any order: they need not make one chain.

    Raises `Refused` if they cannot be read.
    """
    return tuple(_certificates(data, subject)[0])


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


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether the certificate says that it is a CA's (RFC 5280 section 4.2.1.9)."""
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` issued the certificate: its name stands there, its key signed (RFC 5280 section 6.1)."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def linked(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell the same, but go by names alone where a broken digest (SHA-1, MD5) leaves nobody who checks the signature.

    For words on what is wrong: such a certificate is refused by its own rule, and never believed.
    """
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.name in BROKEN_DIGESTS:
        return certificate.issuer == issuer.subject
    return issued_by(certificate, issuer)


def self_issued(certificate: x509.Certificate) -> bool:
    """Tell whether subject and issuer are the same name (RFC 5280 section 3.2)."""
    return certificate.subject == certificate.issuer


def printed(name: x509.Name) -> str:
    """Return a stranger's name for people: what cannot be seen is escaped, and what is too long is cut."""
    text = name.rfc4514_string()
    plain = text if text.isprintable() else text.encode("unicode_escape").decode()
    return plain if len(plain) <= _NAME_LIMIT else f"{plain[:_NAME_LIMIT]}..."


def extension(certificate: x509.Certificate, kind: type[_Value]) -> _Value | None:
    """Return the certificate's extension of this kind, or None if it has none."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _certificates(data: bytes, subject: str) -> tuple[list[x509.Certificate], int]:
    """Return the certificates, each once, in the order in which they came, and how many stood there again."""
    found: dict[bytes, x509.Certificate] = {}
    every = certificates_der(data, subject)
    for der in every:
        try:
            found[der] = readable(x509.load_der_x509_certificate(der))
        except UNREADABLE as error:
            raise Refused((_finding("CHAIN-FILE-01", f"a certificate cannot be read: {error}", subject),)) from error
    if len(found) > _LENGTH_LIMIT:
        message = f"{len(found)} certificates were found, at most {_LENGTH_LIMIT} are wanted"
        raise Refused((_finding("CHAIN-FILE-02", message, subject),))
    return list(found.values()), len(every) - len(found)


def _ordered(
    found: Sequence[x509.Certificate],
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.Certificate, ...]]:
    """Return the longest way up, and what is not on it: the same whatever the order in which they came."""
    known = sorted(found, key=fingerprint)
    starts = [one for one in known if not any(each is not one and linked(each, one) for each in known)]
    ways = [_way_up(start, known) for start in starts or known]
    # Of equal ones, the one that begins below: what is missing above it can be named.
    path = max(ways, key=lambda way: (len(way), not self_issued(way[0])))
    return path, tuple(each for each in known if each not in path)


def _way_up(start: x509.Certificate, known: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    way = [start]
    while not linked(way[-1], way[-1]):
        above = [each for each in known if each not in way and linked(way[-1], each)]
        if not above:
            break
        # Of an issuer that is there twice, by itself and cross-signed, the one by itself: it ends the chain.
        way.append(next((each for each in above if self_issued(each)), above[0]))
    return tuple(way)


def _order_findings(path: Sequence[x509.Certificate], rest: Sequence[x509.Certificate], subject: str) -> list[Finding]:
    found, last = [], path[-1]
    missing = None if linked(last, last) else last.issuer
    if missing is not None:
        message = f"the issuer {printed(missing)} of {printed(last.subject)} is missing"
        if any(each.subject == missing for each in rest):
            message += "; a CA of that name is there, and its key did not sign"
        found.append(_finding("CHAIN-ORDER-01", message, subject))
    for each in rest:
        if each.subject == missing:
            continue
        name, twins = printed(each.subject), [one for one in path if one.subject == each.subject]
        if any(one.public_key() == each.public_key() for one in twins):
            message = f"{name} is there twice with one key, by {printed(each.issuer)} too (cross-signed, or renewed)"
            found.append(_finding("CHAIN-ORDER-03", f"{message}; one way up is wanted", subject))
        elif linked(each, each):
            message = f"{name} is a root beside {printed(last.subject)}; one chain with one root is wanted"
            found.append(_finding("CHAIN-ORDER-02", message, subject))
        else:
            message = f"{name}, issued by {printed(each.issuer)}, belongs to another chain; one chain is wanted"
            found.append(_finding("CHAIN-ORDER-04", message, subject))
    return found


def _notes(
    found: Sequence[x509.Certificate], path: Sequence[x509.Certificate], duplicates: int, subject: str
) -> tuple[Finding, ...]:
    said = []
    if tuple(each for each in found if each in path) != tuple(path):
        said.append("the certificates were put into order")
    if duplicates:
        said.append(f"{duplicates} that stood there again were left out")
    note = Finding("CHAIN-NOTE-01", "; ".join(said), "Nothing has to be done.", "R14", subject, Level.INFO)
    return (note,) if said else ()


def _finding(id: str, message: str, subject: str) -> Finding:  # noqa: A002 - as in Finding
    return Finding(id, message, _HINT, "R14; RFC 5280 section 6.1", subject, Level.ERROR)
