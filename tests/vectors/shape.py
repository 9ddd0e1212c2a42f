"""Requests in DER, put together by hand: so that each octet can be wrong, and each is the same every time."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA224, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.vectors import keys

from bothways.pki import der
from bothways.pki.encoding import pem

UTF8, NUMERIC, PRINTABLE, T61, IA5, VISIBLE, UNIVERSAL, BMP = 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E
OIDS = {
    "C": "2.5.4.6",
    "ST": "2.5.4.8",
    "L": "2.5.4.7",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "CN": "2.5.4.3",
    "emailAddress": "1.2.840.113549.1.9.1",
    "serialNumber": "2.5.4.5",
    "street": "2.5.4.9",
    "postalCode": "2.5.4.17",
    "title": "2.5.4.12",
    "GN": "2.5.4.42",
    "DC": "0.9.2342.19200300.100.1.25",
    "UID": "0.9.2342.19200300.100.1.1",
    "organizationIdentifier": "2.5.4.97",
    "unknown": "1.3.6.1.4.1.55555.1",
}
SUBJECT = {
    "C": "FR",
    "ST": "Ile-de-France",
    "L": "Paris",
    "O": "First Bank",
    "OU": "Payments",
    "CN": "TLSMA-ECDSA/12345678/PPR",
}
RSA_CN = "TLSMA-RSA/12345678/PPR"
RSA_OID, EC_OID = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
NULL = b"\x05\x00"
TRUE, FALSE = b"\x01\x01\xff", b"\x01\x01\x00"
_ECDSA: dict[str, tuple[str, HashAlgorithm]] = {
    "sha224": ("1.2.840.10045.4.3.1", SHA224()),
    "sha256": ("1.2.840.10045.4.3.2", SHA256()),
    "sha384": ("1.2.840.10045.4.3.3", SHA384()),
    "sha512": ("1.2.840.10045.4.3.4", SHA512()),
}
_RSA = {
    "md5": ("1.2.840.113549.1.1.4", "3020300c06082a864886f70d020505000410"),
    "sha1": ("1.2.840.113549.1.1.5", "3021300906052b0e03021a05000414"),
    "sha224": ("1.2.840.113549.1.1.14", "302d300d06096086480165030402040500041c"),
    "sha256": ("1.2.840.113549.1.1.11", "3031300d060960864801650304020105000420"),
    "sha384": ("1.2.840.113549.1.1.12", "3041300d060960864801650304020205000430"),
    "sha512": ("1.2.840.113549.1.1.13", "3051300d060960864801650304020305000440"),
}

Value = str | tuple[int, bytes]
"""The value of an attribute: a text, or a tag and its content."""

Rdn = Sequence[tuple[str, int, bytes]]
"""One part of a subject: short names, tags and contents."""


@dataclass(frozen=True)
class Vector:
    """One file: what is in it, the findings that it must get (sorted), and how it was made."""

    name: str
    findings: tuple[str, ...]
    data: bytes
    origin: str

    @property
    def file(self) -> str:
        """The name of the file: what it is, and which findings it must get."""
        extension = "pem" if b"-----BEGIN" in self.data and self.data.isascii() else "bin"
        extension = "der" if self.data[:1] == b"\x30" else extension
        return f"{self.name}={'+'.join(self.findings)}.{extension}"


def vector(name: str, ids: str, data: bytes, origin: str = "hand-made DER") -> Vector:
    """Return a vector; `ids` are its findings, short and apart: `KEY-01 CN-01`."""
    return Vector(name, tuple(sorted(f"CSR-{each}" for each in ids.split())), data, origin)


def attribute(name: str, tag: int, content: bytes) -> bytes:
    """Return an AttributeTypeAndValue."""
    return der.sequence(der.oid(OIDS[name]), der.tagged(tag, content))


def subject(
    *, without: str = "", extra: Sequence[Rdn] = (), changes: Mapping[str, Value] | None = None, **more: Value
) -> bytes:
    """Return the good subject with changes: a text as UTF8String, or a tag and its content."""
    values = {**SUBJECT, **(changes or {}), **more}
    rdns: list[Rdn] = []
    for name, value in values.items():
        if name in without.split():
            continue
        kind = PRINTABLE if name == "C" else UTF8
        rdns.append(
            [(name, kind, value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else (name, *value)]
        )
    return name_of([*rdns, *extra])


def name_of(rdns: Sequence[Rdn]) -> bytes:
    """Return a Name (RFC 5280 section 4.1.2.4); the values of a part are sorted, as DER wants a SET."""
    return der.sequence(*(der.tagged(der.SET, b"".join(sorted(attribute(*each) for each in rdn))) for rdn in rdns))


def spki_of(key: "ec.EllipticCurvePrivateKey | keys.Rsa") -> bytes:
    """Return SubjectPublicKeyInfo in its usual form."""
    if isinstance(key, keys.Rsa):
        return rsa_spki(der.integer(key.n), der.integer(key.e))
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rsa_spki(modulus: bytes, exponent: bytes, oid: str = RSA_OID, parameters: bytes = NULL) -> bytes:
    """Return SubjectPublicKeyInfo of these two INTEGERs."""
    return der.sequence(der.sequence(der.oid(oid), parameters), der.bit_string(der.sequence(modulus, exponent)))


def ec_spki(point: bytes, parameters: bytes, oid: str = EC_OID) -> bytes:
    """Return SubjectPublicKeyInfo of a point under these parameters."""
    return der.sequence(der.sequence(der.oid(oid), parameters), der.bit_string(point))


def attributes(*each: tuple[str, Sequence[bytes]]) -> bytes:
    """Return Attributes with their implicit tag (RFC 2986 section 4.1)."""
    found = (der.sequence(der.oid(oid), der.tagged(der.SET, b"".join(sorted(values)))) for oid, values in each)
    return der.tagged(0xA0, b"".join(sorted(found)))


def extension(oid: str, value: bytes, critical: bytes = b"") -> bytes:
    """Return an Extension (RFC 5280 section 4.1)."""
    return der.sequence(der.oid(oid), critical, der.tagged(der.OCTET_STRING, value))


def extension_request(*extensions: bytes) -> tuple[str, Sequence[bytes]]:
    """Return the attribute that asks for extensions."""
    return EXTENSION_REQUEST, [der.sequence(*extensions)]


def content(
    name: bytes = b"", spki: bytes = b"", asked: bytes = b"\xa0\x00", version: bytes = b"\x02\x01\x00"
) -> bytes:
    """Return a CertificationRequestInfo."""
    return der.sequence(version, name or subject(), spki or spki_of(keys.ecdsa("good")), asked)


def signed(
    info: bytes, key: "ec.EllipticCurvePrivateKey | keys.Rsa | None" = None, digest: str = "sha256", oid: str = ""
) -> bytes:
    """Return the request, signed by this key; `oid` names another algorithm than the one that signs."""
    key = key or keys.ecdsa("good")
    if isinstance(key, keys.Rsa):
        named, prefix = _RSA[digest]
        algorithm = der.sequence(der.oid(oid or named), NULL)
        return der.signed(info, algorithm, key.signature(info, digest, bytes.fromhex(prefix)))
    named, algorithm_of = _ECDSA[digest]
    signature = key.sign(info, ec.ECDSA(algorithm_of, deterministic_signing=True))
    return der.signed(info, der.sequence(der.oid(oid or named)), signature)


def good_rsa(name: str = "good", exponent: int = keys.EXPONENT, digest: str = "sha256") -> bytes:
    """Return a request of an RSA key by the name of its primes, everything else as agreed."""
    key = keys.rsa(name, exponent)
    return signed(content(subject(CN=RSA_CN), spki_of(key)), key, digest)


def with_subject(**changes: Value) -> bytes:
    """Return a request of the good key with another subject."""
    return signed(content(subject(changes=changes)))


def good() -> bytes:
    """Return the good request."""
    return signed(content())


def good_pem() -> str:
    """Return the good request as PEM."""
    return pem("CERTIFICATE REQUEST", good())


def pin(spki: bytes) -> str:
    """Return the SPKI pin."""
    return hashlib.sha256(spki).hexdigest()
