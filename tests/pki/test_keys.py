import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bothways.contract.document import KeyType
from bothways.pki.keys import allowed, described, key_type, sha256, spki_pin


def test_rsa_4096_is_allowed(rsa_key: rsa.RSAPrivateKey) -> None:
    key = rsa_key.public_key()
    assert (allowed(key), key_type(key)) == (True, KeyType.RSA)
    assert described(key) == "RSA with 4096 bits and exponent 65537"


def test_ecdsa_p256_is_allowed(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    key = ecdsa_key.public_key()
    assert (allowed(key), key_type(key)) == (True, KeyType.ECDSA)
    assert described(key) == KeyType.ECDSA.wanted == "ECDSA P-256"


@pytest.mark.parametrize(("exponent", "bits"), [(3, 4096), (65539, 4096), (65537, 4095), (65537, 2048), (65537, 4097)])
def test_another_size_or_exponent_of_rsa_is_not(rsa_key: rsa.RSAPrivateKey, exponent: int, bits: int) -> None:
    modulus = rsa_key.public_key().public_numbers().n
    shift = 4096 - bits
    number = (modulus >> shift if shift >= 0 else modulus << -shift) | 1
    key = rsa.RSAPublicNumbers(exponent, number).public_key()
    assert (allowed(key), key_type(key)) == (False, KeyType.RSA)
    assert described(key) == f"RSA with {bits} bits and exponent {exponent}"


@pytest.mark.parametrize(
    ("curve", "name"),
    [
        (ec.SECP384R1(), "P-384"),
        (ec.SECP521R1(), "P-521"),
        (ec.SECP256K1(), "secp256k1"),
        (ec.BrainpoolP256R1(), "brainpoolP256r1"),
    ],
)
def test_another_curve_is_not(curve: ec.EllipticCurve, name: str) -> None:
    key = ec.generate_private_key(curve).public_key()
    assert (allowed(key), key_type(key), described(key)) == (False, KeyType.ECDSA, f"ECDSA {name}")


def test_another_algorithm_is_not_and_has_no_marker() -> None:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    assert (allowed(key), key_type(key), described(key)) == (False, None, "Ed25519")


def test_a_fingerprint_is_lower_case_hex() -> None:
    # FIPS 180-2 appendix B.1
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_pin_is_what_openssl_and_sha256_make_of_the_key(
    tmp_path: Path, openssl: Callable[..., bytes], ecdsa_key: ec.EllipticCurvePrivateKey
) -> None:
    pem = ecdsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    der = openssl("pkey", "-pubin", "-in", "key.pem", "-outform", "DER")
    assert spki_pin(ecdsa_key.public_key()) == hashlib.sha256(der).hexdigest()
