"""Statements: JSON texts that say what they are and are signed by a key that is no CA's: audit heads, bundles.

A statement begins with `{`, and what a CA signs with `0` (a SEQUENCE in DER), so neither can be taken for the other.
The signature is over the very bytes, so that `openssl dgst -sha256 -verify` checks it too.
"""

import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from bothways.pki.keys import allowed, described

FORMAT = 1
"""The version of the form of all statements. A reader refuses one that it does not know."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The bytes of one statement: the only thing beside a request that such a key is given."""

    content: bytes


def make_statement(kind: str, values: dict[str, Any]) -> Statement:
    """Return a statement of a kind, like `audit-head`: JSON in UTF-8, what it is first."""
    return Statement((json.dumps(_head(kind) | values, indent=1) + "\n").encode())


def read_statement(content: bytes, kind: str) -> dict[str, Any]:
    """Return what a statement of this kind says. Raises `ValueError` if it is none, or says one thing twice."""
    try:
        document = json.loads(content.decode(), object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - whoever reads a file asks for one error
    for name, wanted in _head(kind).items():
        if (found := document.pop(name, None)) != wanted:
            raise ValueError(f"its {name} is {found!r}, wanted {wanted!r}")
    return document


def sign_statement(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, statement: Statement) -> bytes:
    """Return the signature with SHA-256: DER for ECDSA (RFC 3279), PKCS #1 v1.5 for RSA."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(statement.content, padding.PKCS1v15(), SHA256())
    return key.sign(statement.content, ec.ECDSA(SHA256()))


def require_signed(content: bytes, signature: bytes, key: CertificatePublicKeyTypes) -> None:
    """Raise `ValueError` unless the key, of a kind that R7 allows, signed the bytes."""
    if not allowed(key):
        raise ValueError(f"the key is {described(key)}; RSA 4096 or ECDSA P-256 is wanted")
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, content, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, content, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise ValueError("the signature is not of that key over these bytes") from error


def public_pem(key: CertificatePublicKeyTypes) -> str:
    """Return a public key in PEM (RFC 7468 section 13)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public_pem(data: bytes) -> CertificatePublicKeyTypes:
    """Return the public key in a PEM text. Raises `ValueError` if there is none that can sign a statement."""
    key = load_pem_public_key(data)
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ValueError("the key is neither RSA nor ECDSA")  # noqa: TRY004 - as above
    return key


def _head(kind: str) -> dict[str, Any]:
    return {"type": f"bothways-{kind}", "format": FORMAT}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it has one name twice")
    return found
