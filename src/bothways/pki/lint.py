"""The lint: what stands between a certificate's bytes and the CA's key. Nothing is made or signed here.

Each certificate is compared, octet for octet, with what was promised: every field as promised, and nothing else; one
that differs is taken apart, to say where. The encodings of the extensions stand here a second time, written out, so
that maker and lint do not share a mistake.
pkilint judges each *shape* of certificate, once: two certificates have the same shape if they differ in nothing but
what our own comparison and rules decide alone (serial number, dates, text of the subject, bits of the key and its
identifier, URN). It takes milliseconds, many times all the rest together; see docs/signers.md.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki import der, pkilint
from bothways.pki.profile import SERIAL_BITS, Profile

_FIELDS = ("version", "serial number", "signature algorithm", "issuer", "validity", "subject", "key", "extensions")
_ALGORITHM, _ISSUER, _VALIDITY, _SUBJECT, _KEY = range(2, 7)
_VERSION_3 = bytes.fromhex("a003020102")
_EXTENSIONS = 0xA3
_MAY_SIGN = bytes.fromhex("30120603551d130101ff040830060101ff0201")
"""BasicConstraints, critical: cA, and a pathLenConstraint, whose one octet follows."""
_CA_USAGE = bytes.fromhex("300e0603551d0f0101ff040403020106")
"""KeyUsage, critical: keyCertSign, cRLSign."""
_END_ENTITY = (
    bytes.fromhex("300c0603551d130101ff04023000"),  # BasicConstraints, critical: no CA
    bytes.fromhex("300e0603551d0f0101ff040403020780"),  # KeyUsage, critical: digitalSignature
)
_USAGES = {
    ExtendedKeyUsageOID.CLIENT_AUTH: bytes.fromhex("30130603551d25040c300a06082b06010505070302"),
    ExtendedKeyUsageOID.SERVER_AUTH: bytes.fromhex("30130603551d25040c300a06082b06010505070301"),
}
_SUBJECT_KEY, _AUTHORITY_KEY = bytes.fromhex("301d0603551d0e04160414"), bytes.fromhex("301f0603551d23041830168014")
_ALTERNATIVE_NAME, _DISTRIBUTION_POINTS = bytes.fromhex("0603551d11"), bytes.fromhex("0603551d1f")
_DNS_NAME, _URI, _FULL_NAME, _DISTRIBUTION_POINT = 0x82, 0x86, 0xA0, 0xA0
_IDENTIFIER_LENGTH = 20
_HEADER_MOST = 4
_STRINGS = (der.UTF8_STRING, der.PRINTABLE_STRING)
_LONGEST = {der.oid("2.5.4.6"): 2, der.oid("2.5.4.7"): 128, der.oid("2.5.4.8"): 128}
_LONGEST_OTHER = 64
"""Characters of a subject's attribute (RFC 5280 appendix A.1): C, L, ST; and O, OU, CN."""

_SHAPES_MOST = 256
_clean_shapes: set[tuple[bytes, ...]] = set()


@dataclass(frozen=True)
class Promise:
    """What a certificate is to be: the profile, and what its issuer adds.

    `issuer` is the issuer's Name in DER, `issuer_key` its key identifier, `algorithm` an AlgorithmIdentifier in DER.
    """

    profile: Profile
    serial: int
    issuer: bytes
    issuer_key: bytes
    algorithm: bytes

    @cached_property
    def subject(self) -> bytes:
        """The Name of the profile's subject in DER, as the library encodes it."""
        return self.profile.subject.public_bytes()

    @cached_property
    def key_info(self) -> bytes:
        """SubjectPublicKeyInfo of the profile's key in DER, as the library encodes it."""
        return self.profile.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def require_clean(content: bytes, promise: Promise) -> None:
    """Raise `Refused` with everything that is wrong with a TBSCertificate; return if nothing is."""
    fields = _promised_fields(promise)
    extensions = _promised_extensions(promise, fields[_KEY])
    found = [] if content == _joined(fields, extensions) else [*_deviations(content, fields, extensions)]
    attributes = list(_attributes(fields[_SUBJECT]))
    if found := [*found, *_broken_rules(attributes, promise)]:
        raise Refused(tuple(found))
    shape = _shape(fields, extensions, attributes)
    if shape in _clean_shapes:
        return
    if said := pkilint.complaints(der.signed(content, promise.algorithm, b"")):
        raise Refused(tuple(_finding("CERT-LINT-04", f"pkilint says {each}") for each in said))
    if len(_clean_shapes) >= _SHAPES_MOST:
        _clean_shapes.clear()
    _clean_shapes.add(shape)


def _promised_fields(promise: Promise) -> list[bytes]:
    profile = promise.profile
    return [
        _VERSION_3,
        der.integer(promise.serial),
        promise.algorithm,
        promise.issuer,
        der.sequence(der.time(profile.not_before), der.time(profile.not_after)),
        promise.subject,
        promise.key_info,
    ]


def _promised_extensions(promise: Promise, key_info: bytes) -> list[bytes]:
    profile = promise.profile
    # SHA-1 names the key here, and protects nothing (RFC 5280 section 4.2.1.2, method 1).
    key = der.parts(key_info)[1]
    promised = [
        *((_MAY_SIGN + bytes([profile.path_length]), _CA_USAGE) if profile.authority else _END_ENTITY),
        _SUBJECT_KEY + hashlib.sha1(der.content(key)[1:], usedforsecurity=False).digest(),
        _AUTHORITY_KEY + promise.issuer_key,
    ]
    if profile.usage:
        promised.append(_USAGES[profile.usage])
    if profile.names:
        names = der.sequence(*(_general_name(each) for each in profile.names))
        promised.append(der.sequence(_ALTERNATIVE_NAME, der.tagged(der.OCTET_STRING, names)))
    if profile.crl_url:
        full_name = der.tagged(_FULL_NAME, der.tagged(_URI, profile.crl_url.encode("ascii")))
        points = der.sequence(der.sequence(der.tagged(_DISTRIBUTION_POINT, full_name)))
        promised.append(der.sequence(_DISTRIBUTION_POINTS, der.tagged(der.OCTET_STRING, points)))
    return promised


def _general_name(name: x509.GeneralName) -> bytes:
    tag = _URI if isinstance(name, x509.UniformResourceIdentifier) else _DNS_NAME
    return der.tagged(tag, str(name.value).encode("ascii"))


def _joined(fields: list[bytes], extensions: list[bytes]) -> bytes:
    return der.sequence(*fields, der.tagged(_EXTENSIONS, der.sequence(*extensions)))


def _deviations(content: bytes, promised: list[bytes], promised_extensions: list[bytes]) -> Iterator[Finding]:
    try:
        fields = der.parts(content)
        extensions = der.parts(der.content(fields[-1]))
    except (ValueError, IndexError) as error:
        yield _finding("CERT-LINT-01", f"the certificate cannot be read: {error}")
        return
    if len(fields) != len(_FIELDS):
        yield _finding("CERT-LINT-02", f"the certificate has {len(fields)} fields; {len(_FIELDS)} are wanted")
    for name, found, wanted in zip(_FIELDS, fields, promised, strict=False):
        if found != wanted:
            yield _finding("CERT-LINT-02", f"the {name} is {found.hex()}; {wanted.hex()} was promised")
    for each in extensions:
        if each not in promised_extensions:
            yield _finding("CERT-LINT-02", f"the extension {each.hex()} was not promised")
    for each in promised_extensions:
        if extensions.count(each) != 1:
            message = f"the extension {each.hex()} stands {extensions.count(each)} times; once was promised"
            yield _finding("CERT-LINT-02", message)
    # Said in any case: tags around the parts, or their order, may be all that differs.
    yield _finding("CERT-LINT-02", "the octets are not those of the certificate that was promised")


def _attributes(subject: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield for each attribute how many stand in its RDN, its type, and its value, in DER."""
    for rdn in der.parts(subject):
        attributes = der.parts(rdn)
        for each in attributes:
            kind, value = der.parts(each)
            yield len(attributes), kind, value


def _broken_rules(attributes: list[tuple[int, bytes, bytes]], promise: Promise) -> Iterator[Finding]:
    profile = promise.profile
    if not 0 < promise.serial < 1 << SERIAL_BITS:
        message = f"the serial number {promise.serial:x} is out of range; 1 to {SERIAL_BITS} bits are wanted"
        yield _finding("CERT-LINT-03", message)
    if not profile.not_before < profile.not_after:
        message = f"it would end on {profile.not_after:%Y-%m-%d %H:%M}, before it begins: its CA has ended"
        yield _finding("CERT-LINT-03", message)
    if len(promise.issuer_key) != _IDENTIFIER_LENGTH:
        yield _finding("CERT-LINT-03", f"the key identifier of the issuer has {len(promise.issuer_key)} octets, not 20")
    for count, kind, value in attributes:
        if count != 1:
            yield _finding("CERT-LINT-03", "a part of the subject has several values; one is wanted")
        if value[0] not in _STRINGS:
            message = f"a subject's text has the tag {value[0]}; UTF8String or PrintableString is wanted"
            yield _finding("CERT-LINT-03", message)
            continue
        text, longest = der.content(value).decode(), _LONGEST.get(kind, _LONGEST_OTHER)
        if not 0 < len(text) <= longest:
            message = f"{text!r} in the subject has {len(text)} characters; 1 to {longest} are wanted"
            yield _finding("CERT-LINT-03", message)


def _shape(
    fields: list[bytes], extensions: list[bytes], attributes: list[tuple[int, bytes, bytes]]
) -> tuple[bytes, ...]:
    key_algorithm, key_bits = der.parts(fields[_KEY])
    return (
        fields[_ALGORITHM],
        fields[_ISSUER],
        bytes(each[0] for each in der.parts(fields[_VALIDITY])),
        b"".join(kind + value[:1] for _, kind, value in attributes),
        key_algorithm + len(key_bits).to_bytes(4, "big"),
        *(_extension_shape(each) for each in extensions if not each.startswith(_SUBJECT_KEY)),
    )


def _extension_shape(extension: bytes) -> bytes:
    if _ALTERNATIVE_NAME not in extension[: len(_ALTERNATIVE_NAME) + _HEADER_MOST]:
        return extension
    kind, value = der.parts(extension)
    # A URN is opaque: beyond its scheme, which is compared, there is nothing to judge in it (RFC 8141 section 2).
    names = der.parts(der.content(value))
    return kind + b"".join(each[:1] + b"urn:" if der.content(each)[:4] == b"urn:" else each for each in names)


def _finding(id: str, message: str) -> Finding:  # noqa: A002 - as in Finding
    hint = "Nothing was signed. Report this, with the request: the hub's own rules should have said it before."
    return Finding(id, message, hint, "RFC 5280 section 4", "certificate to be signed")
