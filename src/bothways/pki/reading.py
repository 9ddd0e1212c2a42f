"""What a request says, before anything is proved: each part as the library reads it, or why it cannot.

Only `request` makes a `CertificationRequest` of it, and only if the rules of `proof` find nothing.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.findings import Finding
from bothways.pki import der as elements
from bothways.pki.encoding import BROKEN_DIGESTS, UNREADABLE, request_der
from bothways.pki.mistaken import refused_der

# The rules say it too, and better, and to whom it concerns.
warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning, __name__.replace(".", r"\."))

_Part = TypeVar("_Part")
_Item = TypeVar("_Item")
_SPKI = 2


class Each(Protocol):
    """What applies a function to many things, and gives the results in their order, as `map` does."""

    def __call__(self, function: Callable[[_Item], _Part], items: Iterable[_Item], /) -> Iterable[_Part]:
        """Return the results."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A request as it was presented. `der` are its bytes; `notes` tell how the file that it came in was normalised.

    `public_key`, `subject` and `extensions` are None where the library cannot read them; `unreadable` says why, by the
    name of the part. `spki` is SubjectPublicKeyInfo as it was sent, in DER. `digest` is the name of the digest under
    the signature, or what stands there instead. `possessed` tells whether the signature is by the key, None if it
    cannot be checked. `attributes` are those of RFC 2986 section 4.1: the type of each, and how many values it has.
    """

    der: bytes
    subject: x509.Name | None
    public_key: CertificatePublicKeyTypes | None
    spki: bytes
    digest: str
    possessed: bool | None
    extensions: x509.Extensions | None = field(compare=False)
    attributes: tuple[tuple[str, int], ...]
    unreadable: dict[str, str] = field(compare=False)
    notes: tuple[Finding, ...] = field(default=(), compare=False)


def read_request(data: bytes, subject: str) -> Reading:
    """Return what the request in `data` (PEM or DER) says; `subject` names it in findings.

    Raises `Refused` if there is no request, or one that cannot be read as PKCS #10 (RFC 2986) at all.
    """
    return read_requests(((data, subject),))[0]


def read_requests(files: Iterable[tuple[bytes, str]], each: Each = map) -> list[Reading]:
    """Return what each request says, as `read_request` does. `each` applies a function to many things, as `map` does.

    Half of the time goes into the signatures, which the library verifies without the interpreter's lock: an `each`
    that uses several threads is faster. Raises `Refused` as `read_request` does, for the first that it is true of.
    """
    opened = [_opened(data, subject) for data, subject in files]
    return [
        Reading(
            der=one.der,
            subject=_read("subject", partial(getattr, one.csr, "subject"), one.unreadable),
            public_key=one.key,
            spki=one.spki,
            digest=one.digest,
            possessed=possessed,
            extensions=_read("extensions", partial(getattr, one.csr, "extensions"), one.unreadable),
            attributes=one.attributes,
            unreadable=one.unreadable,
            notes=one.notes,
        )
        for one, possessed in zip(opened, each(_possession, opened), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Opened:
    """A request that can be taken apart, before its signature is looked at."""

    der: bytes
    notes: tuple[Finding, ...]
    csr: x509.CertificateSigningRequest
    signed: bytes
    spki: bytes
    key: CertificatePublicKeyTypes | None
    digest: str
    attributes: tuple[tuple[str, int], ...]
    unreadable: dict[str, str]


def _opened(data: bytes, subject: str) -> _Opened:
    der, notes = request_der(data, subject)
    try:
        csr = x509.load_der_x509_csr(der)
        signed = csr.tbs_certrequest_bytes
        content = elements.parts(signed)
        attributes = tuple(_attribute(each) for each in elements.parts(content[-1]))
    except UNREADABLE as error:
        raise refused_der(der, error, subject) from error
    unreadable: dict[str, str] = {}
    key = _read("key", csr.public_key, unreadable)
    return _Opened(der, notes, csr, signed, content[_SPKI], key, _digest(csr), attributes, unreadable)


def _possession(one: _Opened) -> bool | None:
    if one.key is None or one.digest in BROKEN_DIGESTS:
        return None
    return _is_signed(one.csr, one.signed, one.key)


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


def _is_signed(csr: x509.CertificateSigningRequest, signed: bytes, key: CertificatePublicKeyTypes) -> bool | None:
    # The usual two are checked with the key that was read already, which the library would read once more.
    try:
        parameters, digest = csr.signature_algorithm_parameters, csr.signature_hash_algorithm
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
