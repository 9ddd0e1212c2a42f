import stat
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
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
from bothways.errors import Conflict, Unusable
from bothways.pki import issue, profile
from bothways.pki.issue import Unsigned
from bothways.signer.key_files import KeyFiles

PASSPHRASE = b"a passphrase of the hub"


@pytest.fixture
def keys(tmp_path: Path) -> KeyFiles:
    return KeyFiles(tmp_path, PASSPHRASE)


@pytest.fixture
def unsigned(keys: KeyFiles, now: datetime) -> Unsigned:
    """The bytes of a self-signed CA, with the new key `ca`."""
    return issue.self_signed(profile.authority("CA", "hub.example", keys.generate("ca"), now), 1)


def public_bytes(key: Any) -> bytes:
    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def test_a_key_is_on_disk_encrypted_and_for_this_user_alone(keys: KeyFiles, tmp_path: Path) -> None:
    keys.generate("ca")
    [path] = tmp_path.iterdir()
    assert path.name == "ca.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(TypeError, match=r"not given|encrypted"):
        load_pem_private_key(path.read_bytes(), None)


def test_the_mode_does_not_depend_on_the_umask(keys: KeyFiles, tmp_path: Path, umask: Callable[[int], None]) -> None:
    umask(0)
    keys.generate("ca")
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_a_new_key_is_on_p_256_and_never_the_same(keys: KeyFiles) -> None:
    one, other = keys.generate("one"), keys.generate("other")
    assert isinstance(one, ec.EllipticCurvePublicKey)
    assert isinstance(one.curve, ec.SECP256R1)
    assert public_bytes(one) != public_bytes(other)


def test_an_rsa_key_has_4096_bits_and_signs(keys: KeyFiles, tmp_path: Path, now: datetime) -> None:
    made = keys.generate("ca", KeyType.RSA)
    assert isinstance(made, rsa.RSAPublicKey)
    assert (made.key_size, made.public_numbers().e) == (4096, 65537)
    unsigned = issue.self_signed(profile.authority("CA", "hub.example", made, now), 1)
    certificate = issue.assemble(unsigned, KeyFiles(tmp_path, PASSPHRASE).signer("ca").sign(unsigned))
    certificate.verify_directly_issued_by(certificate)


def test_what_it_signs_is_verified_by_the_public_part(keys: KeyFiles, unsigned: Unsigned) -> None:
    certificate = issue.assemble(unsigned, keys.signer("ca").sign(unsigned))
    certificate.verify_directly_issued_by(certificate)


def test_another_key_of_the_same_hub_signs_differently(keys: KeyFiles, unsigned: Unsigned) -> None:
    other = keys.generate("other")
    assert isinstance(other, ec.EllipticCurvePublicKey)
    signature = keys.signer("ca").sign(unsigned)
    with pytest.raises(InvalidSignature):
        other.verify(signature, unsigned.der, ec.ECDSA(SHA256()))


def test_a_key_is_the_same_when_the_hub_is_opened_again(keys: KeyFiles, tmp_path: Path) -> None:
    made = keys.generate("ca")
    pem = KeyFiles(tmp_path, PASSPHRASE).private_pem("ca")
    loaded = load_pem_private_key(pem.encode(), None)
    assert public_bytes(loaded.public_key()) == public_bytes(made)


def test_a_key_is_never_overwritten(keys: KeyFiles, tmp_path: Path) -> None:
    keys.generate("ca")
    before = (tmp_path / "ca.key").read_bytes()
    for each in (keys, KeyFiles(tmp_path, PASSPHRASE)):
        with pytest.raises(Conflict, match=r"ca\.key exists already and is never overwritten"):
            each.generate("ca")
    assert (tmp_path / "ca.key").read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["ca.key"]


def test_a_key_that_could_not_be_made_anew_still_signs_as_before(keys: KeyFiles, unsigned: Unsigned) -> None:
    with pytest.raises(Conflict):
        keys.generate("ca")
    certificate = issue.assemble(unsigned, keys.signer("ca").sign(unsigned))
    certificate.verify_directly_issued_by(certificate)


@pytest.mark.parametrize("wrong", [b"another passphrase", b""])
def test_another_passphrase_opens_nothing(keys: KeyFiles, tmp_path: Path, wrong: bytes) -> None:
    keys.generate("ca")
    with pytest.raises(Unusable, match=r"the passphrase does not open .*ca\.key\. Set files\.passphrase"):
        KeyFiles(tmp_path, wrong).private_pem("ca")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(keys: KeyFiles, tmp_path: Path, mode: int) -> None:
    keys.generate("ca")
    (tmp_path / "ca.key").chmod(mode)
    with pytest.raises(Unusable, match=rf"has mode {mode:04o}.*0600 is wanted"):
        KeyFiles(tmp_path, PASSPHRASE).private_pem("ca")


def test_a_missing_key_is_named(keys: KeyFiles) -> None:
    with pytest.raises(Unusable, match=r"the private key ca cannot be read from .*no such file"):
        keys.private_pem("ca")


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_file_is_refused(keys: KeyFiles, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.key").write_bytes(content)
    (tmp_path / "ca.key").chmod(0o600)
    with pytest.raises(Unusable, match=r"ca\.key"):
        keys.private_pem("ca")


def test_a_key_of_another_algorithm_is_refused(keys: KeyFiles, tmp_path: Path) -> None:
    pem = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
    )
    (tmp_path / "ca.key").write_bytes(pem)
    (tmp_path / "ca.key").chmod(0o600)
    with pytest.raises(Unusable, match="holds no ECDSA or RSA key"):
        keys.private_pem("ca")


@pytest.mark.parametrize("name", ["", "../ca", "a/b", "CA", "ca.key", "ca\n", "..", "ca\0"])
def test_a_name_that_could_leave_the_directory_is_refused(keys: KeyFiles, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a key"):
        keys.generate(name)
    with pytest.raises(ValueError, match="is no name of a key"):
        keys.private_pem(name)
    assert list(tmp_path.iterdir()) == []


def test_the_passphrase_is_not_in_what_is_printed(keys: KeyFiles) -> None:
    keys.generate("ca")
    assert PASSPHRASE.decode() not in repr(keys)
    assert "private" not in repr(keys.signer("ca"))


@pytest.mark.parametrize("kind", KeyType)
def test_a_key_signs_a_request_for_itself(keys: KeyFiles, kind: KeyType) -> None:
    public = keys.generate("own", kind)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    wanted = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    request = x509.load_der_x509_csr(keys.request("own", subject, (wanted,)))
    assert request.is_signature_valid
    assert (request.subject, request.public_key()) == (subject, public)
    assert [each.value for each in request.extensions] == [wanted]
