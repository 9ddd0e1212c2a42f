from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki import issue, profile
from bothways.pki.issue import Unsigned
from bothways.signer.private_key import PrivateKey, new_key, open_key, seal_key

PASSPHRASE = b"a passphrase of the hub"


@pytest.fixture(scope="module", params=KeyType)
def key(request: pytest.FixtureRequest) -> PrivateKey:
    return new_key(request.param)


@pytest.fixture
def unsigned(key: PrivateKey, now: datetime) -> Unsigned:
    """The bytes of a self-signed CA with the key."""
    return issue.self_signed(profile.authority("CA", "hub.example", key.public_key, now), 1)


def public_bytes(key: Any) -> bytes:
    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def test_a_new_key_is_on_p_256_and_never_the_same() -> None:
    one, other = new_key().public_key, new_key().public_key
    assert isinstance(one, ec.EllipticCurvePublicKey)
    assert isinstance(one.curve, ec.SECP256R1)
    assert public_bytes(one) != public_bytes(other)


def test_an_rsa_key_has_4096_bits() -> None:
    made = new_key(KeyType.RSA).public_key
    assert isinstance(made, rsa.RSAPublicKey)
    assert (made.key_size, made.public_numbers().e) == (4096, 65537)


def test_it_is_stored_encrypted_and_the_same_when_it_is_opened_again(key: PrivateKey) -> None:
    sealed = seal_key(key, PASSPHRASE)
    assert sealed.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(TypeError, match=r"not given|encrypted"):
        load_pem_private_key(sealed, None)
    assert public_bytes(open_key(sealed, PASSPHRASE, "ca").public_key) == public_bytes(key.public_key)
    assert public_bytes(load_pem_private_key(key.pem().encode(), None).public_key()) == public_bytes(key.public_key)


def test_what_it_signs_is_verified_by_its_public_part_and_by_no_other(key: PrivateKey, unsigned: Unsigned) -> None:
    signature = key.sign(unsigned)
    certificate = issue.assemble(unsigned, signature)
    certificate.verify_directly_issued_by(certificate)
    other = new_key().public_key
    assert isinstance(other, ec.EllipticCurvePublicKey)
    with pytest.raises(InvalidSignature):
        other.verify(signature, unsigned.der, ec.ECDSA(SHA256()))


@pytest.mark.parametrize("wrong", [b"another passphrase", b""])
def test_another_passphrase_opens_nothing(wrong: bytes) -> None:
    with pytest.raises(Unusable, match=r"the passphrase does not open the private key ca\..*files\.passphrase in hub"):
        open_key(seal_key(new_key(), PASSPHRASE), wrong, "ca")


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])
def test_what_is_damaged_is_refused(content: bytes) -> None:
    with pytest.raises(Unusable, match="private key ca"):
        open_key(content, PASSPHRASE, "ca")


def test_a_key_of_another_algorithm_is_refused() -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
    )
    with pytest.raises(Unusable, match="the private key ca is no ECDSA or RSA key"):
        open_key(pem, PASSPHRASE, "ca")


def test_the_key_is_not_in_what_is_printed(key: PrivateKey) -> None:
    assert "private=" not in repr(key)


def test_a_key_signs_a_request_for_itself(key: PrivateKey) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    wanted = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    request = x509.load_der_x509_csr(key.request(subject, (wanted,)))
    assert request.is_signature_valid
    assert (request.subject, request.public_key()) == (subject, key.public_key)
    assert [each.value for each in request.extensions] == [wanted]
