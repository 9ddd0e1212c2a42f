"""What a request says, before anything is proved: each part as the library reads it, or why it cannot.

Only `request` makes a `CertificationRequest` of it, and only if the rules of `proof` find nothing.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.findings import Finding
from bothways.pki import der as elements
from bothways.pki.encoding import BROKEN_DIGESTS, UNREADABLE, request_der
from bothways.pki.keys import sha256
from bothways.pki.mistaken import refused_der

# The rules say it too, and better, and to whom it concerns.
warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning, __name__.replace(".", r"\."))

_Part = TypeVar("_Part")
_SPKI = 2


@dataclass(frozen=True)
class Reading:
    """A request as it was presented. `der` are its bytes; `notes` tell how the file that it came in was normalised.

    `public_key`, `subject` and `extensions` are None where the library cannot read them; `unreadable` says why, by the
    name of the part. `spki` is SubjectPublicKeyInfo as it was sent, in DER. `digest` is the name of the digest under
    the signature, or what stands there instead. `attributes` are those of RFC 2986 section 4.1: the type of each, and
    how many values it has.
    """

    der: bytes
    subject: x509.Name | None
    public_key: CertificatePublicKeyTypes | None
    spki: bytes
    digest: str
    extensions: x509.Extensions | None = field(compare=False)
    attributes: tuple[tuple[str, int], ...]
    unreadable: dict[str, str] = field(compare=False)
    notes: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def spki_pin(self) -> str:
        """SHA-256 of the key that the request asks a certificate for."""
        return sha256(self.spki)

    @cached_property
    def possessed(self) -> bool | None:
        """Whether the signature is by the key, None if it cannot be checked; found out when it is first asked for."""
        if self.public_key is None or self.digest in BROKEN_DIGESTS:
            return None
        return _is_signed(x509.load_der_x509_csr(self.der), self.public_key)


def read_request(data: bytes, subject: str) -> Reading:
    """Return what the request in `data` (PEM or DER) says; `subject` names it in findings.

    Raises `Refused` if there is no request, or one that cannot be read as PKCS #10 (RFC 2986) at all.
    """
    der, notes = request_der(data, subject)
    return read_again(der, subject, notes)


def read_again(der: bytes, subject: str, notes: tuple[Finding, ...] = ()) -> Reading:
    """Return the same of DER that `read_request` has let in before, with `notes` on how it came. Raises `Refused`."""
    try:
        csr = x509.load_der_x509_csr(der)
        content = elements.parts(csr.tbs_certrequest_bytes)
        attributes = tuple(_attribute(each) for each in elements.parts(content[-1]))
    except UNREADABLE as error:
        raise refused_der(der, error, subject) from error
    unreadable: dict[str, str] = {}
    return Reading(
        der=der,
        subject=_read("subject", lambda: csr.subject, unreadable),
        public_key=_read("key", csr.public_key, unreadable),
        spki=content[_SPKI],
        digest=_digest(csr),
        extensions=_read("extensions", lambda: csr.extensions, unreadable),
        attributes=attributes,
        unreadable=unreadable,
        notes=notes,
    )


def is_possessed(der: bytes) -> bool:
    """Tell whether the bytes are a request whose signature is by its key; nothing else in it is looked at."""
    try:
        csr = x509.load_der_x509_csr(der)
        return _digest(csr) not in BROKEN_DIGESTS and _is_signed(csr, csr.public_key()) is True
    except UNREADABLE:
        return False


def _attribute(element: bytes) -> tuple[str, int]:
    kind, values = elements.parts(element)
    return elements.dotted(kind), len(elements.parts(values))


def _read(part: str, read: Callable[[], _Part], unreadable: dict[str, str]) -> _Part | None:
    try:
        return read()
    except UNREADABLE as error:
        unreadable[part] = str(error)
        return None


def _digest(csr: x509.CertificateSigningRequest) -> str:
    try:
        algorithm = csr.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return f"the unknown algorithm {csr.signature_algorithm_oid.dotted_string}"
    return algorithm.name if algorithm else "no digest"


def _is_signed(csr: x509.CertificateSigningRequest, key: CertificatePublicKeyTypes) -> bool | None:
    # The usual two are checked with the key that was read already, which the library would read once more.
    try:
        signed, parameters, digest = (
            csr.tbs_certrequest_bytes,
            csr.signature_algorithm_parameters,
            csr.signature_hash_algorithm,
        )
        if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(csr.signature, signed, parameters)
        elif isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.PKCS1v15 | padding.PSS) and digest:
            key.verify(csr.signature, signed, parameters, digest)
        else:
            return csr.is_signature_valid
    except InvalidSignature:
        return False
    except UNREADABLE:
        return None
    return True
