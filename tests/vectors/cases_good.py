"""Requests that follow R7 to R9, as one tool or another encodes them: none of them may be refused."""

from collections.abc import Iterator

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.vectors import keys
from tests.vectors.shape import (
    PRINTABLE,
    SUBJECT,
    UTF8,
    Rdn,
    Vector,
    content,
    good,
    good_rsa,
    name_of,
    signed,
    subject,
    vector,
)

_PARTS = (
    NameOID.COUNTRY_NAME,
    NameOID.STATE_OR_PROVINCE_NAME,
    NameOID.LOCALITY_NAME,
    NameOID.ORGANIZATION_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.COMMON_NAME,
)


def vectors() -> Iterator[Vector]:
    """Return them all."""
    printable = {name: (PRINTABLE, value.encode()) for name, value in SUBJECT.items()}
    utf8 = {name: (UTF8, value.encode()) for name, value in SUBJECT.items()}
    backwards: list[Rdn] = [[(name, UTF8, value.encode())] for name, value in reversed(SUBJECT.items())]
    yield vector("good-ecdsa", "", good())
    yield vector("good-rsa", "", good_rsa())
    yield vector("good-rsa-of-three-primes", "", good_rsa("three"))
    yield vector("good-all-printable-as-keytool", "", signed(content(subject(changes=printable))))
    yield vector("good-all-utf8-as-certreq", "", signed(content(subject(changes=utf8))))
    yield vector("good-common-name-first-as-keytool", "", signed(content(name_of(backwards))))
    longest = subject(ST="x" * 128, L="y" * 128, OU="z" * 64)
    yield vector("good-longest-values", "", signed(content(longest)))
    for name, text in {
        "accents": "Cr\u00e9dit & D\u00e9bit",
        "accents-decomposed": "Cre\u0301dit",
        "japanese": "\u6c7a\u6e08",
        "arabic": "\u0627\u0644\u0645\u062f\u0641\u0648\u0639\u0627\u062a",
        "hebrew": "\u05ea\u05e9\u05dc\u05d5\u05de\u05d9\u05dd",
        "cyrillic": "\u041f\u043b\u0430\u0442\u0435\u0436\u0438",
        "greek": "\u03a0\u03bb\u03b7\u03c1\u03c9\u03bc\u03ad\u03c2",
        "emoji": "Payments \U0001f4b3",
        "punctuation": "R&D/Payments, Inc. + \"Co\" = #1; <x> \\ 'y' $z `w` %v @u !t",
        "double-blank": "Pay  ments",
    }.items():
        yield vector(f"good-unit-{name}", "", signed(content(subject(OU=text))))
    attributes = [x509.NameAttribute(oid, value) for oid, value in zip(_PARTS, SUBJECT.values(), strict=True)]
    builder = x509.CertificateSigningRequestBuilder(x509.Name(attributes))
    built = builder.sign(keys.ecdsa("good"), SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.PEM)
    yield vector("good-built-by-cryptography", "", built, "cryptography")
