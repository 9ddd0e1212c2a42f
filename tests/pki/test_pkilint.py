from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.pki.pkilint import complaints


def made(key: ec.EllipticCurvePrivateKey, now: datetime, *extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "name")])
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(own, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
    )
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def alternative(name: str) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(name)]), False


USAGE = (x509.KeyUsage(True, *[False] * 8), True)


def test_a_good_certificate_with_a_urn_has_no_complaints(ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime) -> None:
    assert complaints(made(ecdsa_key, now, USAGE, alternative("urn:bothways:PPR:1:a"))) == []


@pytest.mark.parametrize("name", ["urm:bothways:PPR:1:a", "bothways", "https://host name/"])
def test_any_other_strange_uri_is_a_complaint(ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime, name: str) -> None:
    [said] = complaints(made(ecdsa_key, now, USAGE, alternative(name)))
    assert said.startswith("pkix.invalid_uri_syntax: ")


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        ((x509.BasicConstraints(ca=False, path_length=None), True), ""),
        ((x509.BasicConstraints(ca=True, path_length=None), False), "pkix.basic_constraints"),
        ((x509.NameConstraints([x509.DNSName("a.example")], None), False), "pkix.name_constraints"),
        ((x509.UnrecognizedExtension(x509.ExtendedKeyUsage.oid, b"\x30"), False), "itu.invalid_asn1_syntax"),
    ],
)
def test_the_rules_of_rfc_5280_are_checked(
    ecdsa_key: ec.EllipticCurvePrivateKey, now: datetime, extension: tuple[x509.ExtensionType, bool], code: str
) -> None:
    said = complaints(made(ecdsa_key, now, USAGE, extension))
    assert (said != []) == (code != "")
    assert any(each.startswith(code) for each in said) or not code


def test_what_is_no_certificate_is_a_complaint() -> None:
    [said] = complaints(b"\x30\x03\x02\x01\x00")
    assert said.startswith("it cannot be decoded: ")
