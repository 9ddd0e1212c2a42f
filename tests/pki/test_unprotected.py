"""What tools write with an empty password, or none, is opened, within bounds; what is made up does no harm."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from bothways.pki import der
from bothways.pki.disclosed import is_private_key, spoiled_pins
from bothways.pki.keys import spki_pin
from bothways.pki.unprotected import ROUNDS_MOST, Effort, _old_key, keys_in

STORES = ["", "-legacy", "-keypbe NONE", "-keypbe NONE -certpbe NONE -nomac", "-keypbe AES-128-CBC -macalg SHA512"]
KEYS = ["", "-v2 aes-192-cbc -v2prf hmacWithSHA512", "-v2 des3 -v2prf hmacWithSHA1", "-v1 PBE-SHA1-3DES"]
SALT = bytes.fromhex("0a58cf64530d823f")


@pytest.fixture
def key(tmp_path: Path, ecdsa_key: ec.EllipticCurvePrivateKey) -> str:
    """The pin of a key that is in a file with a certificate of its own."""
    plain = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "tls.key").write_bytes(plain)
    openssl(tmp_path, "req -new -x509 -key tls.key -subj /CN=x -out tls.crt")
    return spki_pin(ecdsa_key.public_key())


def openssl(place: Path, arguments: str) -> None:
    subprocess.run(["openssl", *arguments.split()], cwd=place, check=True, capture_output=True)


def sealed(key: ec.EllipticCurvePrivateKey, iterations: bytes, password: bytes = b"") -> bytes:
    """Return a key as an old store has it, with how many rounds it claims to take; it is made with one."""
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    cipher, iv = (b"".join(_old_key(password, SALT, 1, *each)) for each in ((1, 24), (2, 8)))
    encryptor = Cipher(TripleDES(cipher), CBC(iv)).encryptor()
    missing = 8 - len(plain) % 8
    parameters = der.sequence(der.tagged(der.OCTET_STRING, SALT), der.tagged(der.INTEGER, iterations))
    algorithm = der.sequence(der.oid("1.2.840.113549.1.12.1.3"), parameters)
    return der.sequence(algorithm, der.tagged(der.OCTET_STRING, encryptor.update(plain + bytes((missing,)) * missing)))


@pytest.mark.parametrize("options", STORES)
def test_a_store_with_an_empty_password_or_none_gives_its_key_away(tmp_path: Path, key: str, options: str) -> None:
    openssl(tmp_path, f"pkcs12 -export -inkey tls.key -in tls.crt -passout pass: {options} -out tls.p12")
    store = (tmp_path / "tls.p12").read_bytes()
    assert is_private_key(store)
    assert spoiled_pins(store) == {key}


@pytest.mark.parametrize("options", KEYS)
def test_so_does_a_key_that_is_encrypted_with_an_empty_password(tmp_path: Path, key: str, options: str) -> None:
    openssl(tmp_path, f"pkcs8 -topk8 -in tls.key -passout pass: {options} -out sealed.pem")
    assert spoiled_pins((tmp_path / "sealed.pem").read_bytes()) == {key}


def test_what_a_password_protects_is_not_read(tmp_path: Path, key: str) -> None:
    openssl(tmp_path, "pkcs12 -export -inkey tls.key -in tls.crt -passout pass:secret -out tls.p12")
    openssl(tmp_path, "pkcs12 -export -inkey tls.key -in tls.crt -passout pass:secret -legacy -out old.p12")
    assert key
    for name in ("tls.p12", "old.p12"):
        assert spoiled_pins((tmp_path / name).read_bytes()) == frozenset()


# The known answers of other implementations: password, salt, rounds, purpose, key.
@pytest.mark.parametrize(
    ("password", "salt", "rounds", "purpose", "wanted"),
    [
        ("smeg", "0a58cf64530d823f", 1, 1, "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"),
        ("smeg", "0a58cf64530d823f", 1, 2, "79993dfe048d3b76"),
        ("queeg", "05dec959acff72f7", 1000, 1, "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4"),
        ("queeg", "05dec959acff72f7", 1000, 2, "11dedad7758d4860"),
    ],
)
def test_the_key_of_old_stores_is_derived_as_others_do(
    password: str, salt: str, rounds: int, purpose: int, wanted: str
) -> None:
    ended = f"{password}\0".encode("utf-16-be")
    found = b"".join(_old_key(ended, bytes.fromhex(salt), rounds, purpose, len(wanted) // 2))
    assert found.hex() == wanted


@pytest.mark.parametrize("password", [b"", b"\0\0"])
def test_an_empty_password_is_an_ended_string_or_nothing_at_all(
    ecdsa_key: ec.EllipticCurvePrivateKey, password: bytes
) -> None:
    [plain] = keys_in(sealed(ecdsa_key, b"\x01", password), Effort())
    opened = load_der_private_key(plain, None)
    assert isinstance(opened, ec.EllipticCurvePrivateKey)
    assert opened.private_numbers() == ecdsa_key.private_numbers()


@pytest.mark.parametrize("iterations", [b"\x7f\xff\xff\xff", b"\0", b"\xff", b"", b"\x05\x16\x16", b"\x01" * 20_000])
def test_what_costs_too_much_is_passed_over_before_it_costs_anything(
    ecdsa_key: ec.EllipticCurvePrivateKey, iterations: bytes
) -> None:
    effort = Effort(1000)
    assert [*keys_in(sealed(ecdsa_key, iterations), effort)] == []
    assert effort.left == 1000


def test_many_in_one_file_cost_no_more_together(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    effort = Effort(10)
    opened = [[*keys_in(sealed(ecdsa_key, b"\x01", b"\0\0"), effort)] for _ in range(5)]
    assert ([len(each) for each in opened], effort.left) == ([1, 1, 1, 0, 0], 1)
    assert not effort.spend(ROUNDS_MOST)


def test_a_store_that_is_damaged_anywhere_is_passed_over(tmp_path: Path, key: str) -> None:
    openssl(tmp_path, "pkcs12 -export -inkey tls.key -in tls.crt -passout pass: -iter 1 -out tls.p12")
    store = (tmp_path / "tls.p12").read_bytes()
    for at in range(0, len(store), 3):
        for damaged in (store[:at], store[:at] + bytes((store[at] ^ 0x55,)) + store[at + 1 :]):
            assert spoiled_pins(damaged) <= {key}
