import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.errors import Refused
from bothways.pki.chain import certificate_der
from bothways.pki.pkcs7 import certificates_inside, is_pkcs7

Make = Callable[..., tuple[Any, x509.Certificate]]


@pytest.fixture
def bag(make_certificate: Make) -> tuple[bytes, tuple[bytes, ...]]:
    """PKCS #7 with two certificates, and the certificates."""
    root = make_certificate("Root")
    both = [root[1], make_certificate("Low", root)[1]]
    return pkcs7.serialize_certificates(both, Encoding.DER), tuple(certificate_der(each) for each in both)


def test_the_certificates_come_out_as_they_went_in(bag: tuple[bytes, tuple[bytes, ...]]) -> None:
    der, inside = bag
    assert is_pkcs7(der)
    assert set(certificates_inside(der, "chain.p7b")) == set(inside)


def test_indefinite_lengths_are_read_too(bag: tuple[bytes, tuple[bytes, ...]]) -> None:
    # As Java and Windows write them: only the outermost length is changed here.
    der, inside = bag
    header = 2 + der[1] - 0x80
    ber = b"\x30\x80" + der[header:] + b"\0\0"
    assert is_pkcs7(ber)
    assert set(certificates_inside(ber, "chain.p7b")) == set(inside)


def test_a_certificate_is_none(make_certificate: Make) -> None:
    assert not is_pkcs7(certificate_der(make_certificate("Root")[1]))
    assert not any(is_pkcs7(each) for each in (b"", b"\x30", b"\x30\x80", bytes(99), b"-----BEGIN PKCS7-----"))


def test_a_file_of_openssl_is_read(openssl: Callable[..., bytes]) -> None:
    root = openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-subj", "/CN=R", "-out", "r")
    assert root == b""
    der = openssl("crl2pkcs7", "-nocrl", "-certfile", "r", "-outform", "DER")
    assert certificates_inside(der, "x") == (openssl("x509", "-in", "r", "-outform", "DER"),)


def test_one_without_certificates_and_one_of_another_kind_are_refused(bag: tuple[bytes, tuple[bytes, ...]]) -> None:
    data = bytes.fromhex("300f06092a864886f70d010701a0020400")
    empty = bytes.fromhex("302306092a864886f70d010702a01630140201013100300b06092a864886f70d0107013100")
    for der in (data, empty, bag[0][:-9], bag[0] + b"x", data[:13]):
        with pytest.raises(Refused) as refused:
            certificates_inside(der, "chain.p7b")
        assert [(each.id, each.subject) for each in refused.value.findings] == [("CHAIN-FILE-03", "chain.p7b")]


@pytest.fixture(scope="module")
def fixed(ecdsa_key: ec.EllipticCurvePrivateKey) -> bytes:
    """PKCS #7 with one certificate, the same for all examples."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")])
    start = datetime.fromisoformat("2026-01-01T00:00Z")
    builder = x509.CertificateBuilder(name, name, ecdsa_key.public_key(), 1, start, start + timedelta(days=9))
    return pkcs7.serialize_certificates([builder.sign(ecdsa_key, SHA256())], Encoding.DER)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=500)
@given(changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_give_certificates_or_are_refused(fixed: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(fixed)
    for place, value in changes:
        changed[place % len(changed)] = value
    with contextlib.suppress(Refused):
        assert all(certificates_inside(bytes(changed), "x"))
