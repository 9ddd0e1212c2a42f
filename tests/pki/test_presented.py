from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from bothways.pki.chain import certificate_pem, fingerprint
from bothways.pki.presented import read_presented

CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def logged(certificate: x509.Certificate) -> str:
    """Return the certificate as Envoy writes it into its logs."""
    return quote(certificate_pem(certificate), safe="-")


def test_what_a_certificate_says_of_itself(make_ca: Callable[..., Any]) -> None:
    root = make_ca("Root")
    _, certificate = make_ca("Leaf", root, ca=False)
    read = read_presented(logged(certificate))
    assert read is not None
    assert (read.fingerprint, read.serial) == (fingerprint(certificate), f"{certificate.serial_number:x}")
    assert (read.common_names, read.uri_ids) == (("Leaf",), ())
    assert (read.not_before, read.not_after) == (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    assert not read.self_signed
    assert read.names_as_issuer(root[1])
    assert read.signed_by(root[1])


def test_a_ca_of_the_same_name_did_not_sign_it(make_ca: Callable[..., Any]) -> None:
    _, certificate = make_ca("Leaf", make_ca("Root"), ca=False)
    read = read_presented(logged(certificate))
    twin = make_ca("Root")[1]
    assert read is not None
    assert read.names_as_issuer(twin)
    assert not read.signed_by(twin)


@pytest.mark.parametrize(
    ("usages", "wanted"),
    [(None, True), ([CLIENT], True), ([SERVER], False), ([SERVER, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], True)],
)
def test_whether_it_is_for_clients(make_ca: Callable[..., Any], usages: Any, wanted: bool) -> None:  # noqa: FBT001
    key, root = make_ca("Root")
    builder = (
        x509.CertificateBuilder()
        .subject_name(root.subject)
        .issuer_name(root.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .serial_number(7)
        .not_valid_before(root.not_valid_before_utc)
        .not_valid_after(root.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:a:b")]), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    read = read_presented(logged(builder.sign(key, SHA256())))
    assert read is not None
    assert (read.for_clients, read.uri_ids) == (wanted, ("urn:a:b",))


@pytest.mark.parametrize(
    "text",
    ["", "-", "nonsense", "%ff%fe", "-----BEGIN%20CERTIFICATE-----%0AMIIB%0A-----END%20CERTIFICATE-----", "A" * 20_000],
)
def test_what_cannot_be_read_is_none(text: str) -> None:
    assert read_presented(text) is None


@pytest.fixture(scope="module")
def usual() -> tuple[x509.Certificate, bytes]:
    """A certificate with all extensions that are read, and its bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TLSMA-ECDSA/12345678/PPR")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("urn:a:b")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([CLIENT]), critical=False)
        .sign(key, SHA256())
    )
    return certificate, certificate.public_bytes(Encoding.DER)


@pytest.mark.filterwarnings("ignore")
@given(changes=st.dictionaries(st.integers(0, 10_000), st.integers(0, 255), min_size=1, max_size=3))
def test_whatever_bytes_a_stranger_sends_nothing_is_raised(
    usual: tuple[x509.Certificate, bytes], changes: dict[int, int]
) -> None:
    authority, der = usual
    changed = bytearray(der)
    for place, value in changes.items():
        changed[place % len(der)] = value
    read = read_presented(
        quote(f"-----BEGIN CERTIFICATE-----\n{b64encode(changed).decode()}\n-----END CERTIFICATE-----")
    )
    if read is not None:
        assert read.signed_by(authority) in {True, False}
        assert isinstance(read.issuer.rfc4514_string(), str)


def test_a_certificate_that_was_cut_off_is_none(make_ca: Callable[..., Any]) -> None:
    text = logged(make_ca("Root")[1])
    for end in range(0, text.index("-----END"), 50):
        assert read_presented(text[:end]) is None
