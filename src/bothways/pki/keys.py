"""Public keys: which of them R7 allows, and the pins by which they are compared."""

import hashlib

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bothways.contract.document import KeyType

RSA_BITS = 4096
RSA_EXPONENT = 65537
CURVES: dict[str, type[ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
"""Curves by the names that people know, and JSON Web Keys too (FIPS 186-4, RFC 7518 section 6.2.1.1)."""

_EXPONENT_SHOWN = 1 << 64


def key_type(key: CertificatePublicKeyTypes) -> KeyType | None:
    """Return the algorithm's marker in the sense of R8, or None for an algorithm that has none."""
    if isinstance(key, rsa.RSAPublicKey):
        return KeyType.RSA
    if isinstance(key, ec.EllipticCurvePublicKey):
        return KeyType.ECDSA
    return None


def allowed(key: CertificatePublicKeyTypes) -> bool:
    """Tell whether R7 allows the key: RSA with 4096 bits and exponent 65537, or ECDSA P-256."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size == RSA_BITS and key.public_numbers().e == RSA_EXPONENT
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def described(key: CertificatePublicKeyTypes) -> str:
    """Return the key in words, for messages."""
    if isinstance(key, rsa.RSAPublicKey):
        exponent = key.public_numbers().e
        # A stranger's number can have thousands of digits, which Python refuses to write.
        said = f"exponent {exponent}" if exponent < _EXPONENT_SHOWN else f"an exponent of {exponent.bit_length()} bits"
        return f"RSA with {key.key_size} bits and {said}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        named = (name for name, curve in CURVES.items() if isinstance(key.curve, curve))
        return f"ECDSA {next(named, key.curve.name)}"
    return type(key).__name__.removesuffix("PublicKey")


def spki_pin(key: CertificatePublicKeyTypes) -> str:
    """Return the SPKI pin: SHA-256 of SubjectPublicKeyInfo in DER, as lower-case hex."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` as lower-case hex: the form of every fingerprint in this project."""
    return hashlib.sha256(data).hexdigest()
