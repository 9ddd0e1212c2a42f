"""Private keys where none may be: seen in whatever a person pasted, and named by the public keys that they spoil.

Nothing here returns, keeps or repeats a private key.
"""

import re
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from bothways.pki import der as elements
from bothways.pki.keys import spki_pin

_MARKS = (b"PRIVATE KEY-----", b"PuTTY-User-Key-File", b"Private-Key: (", b"<D>")
"""PEM, PuTTY, what `openssl pkey -text` prints, and XML signatures' RSAKeyValue."""
_BEGIN = re.compile(rb"BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY")
_JWK = re.compile(rb'"d"\s*:')
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,20}PRIVATE KEY)-----[^-]*-----END \1-----")
_SEQUENCE = 0x30
_JAVA_KEY_STORES = (bytes.fromhex("feedfeed"), bytes.fromhex("cececece"))
_PKCS_12_VERSION = bytes.fromhex("020103")


def has_private_key(data: bytes) -> bool:
    """Tell whether a private key is in `data`: PEM in any encoding of text, DER, a key store, or what tools print."""
    text = data.replace(b"\0", b"")  # UTF-16 and UTF-32, in which some editors save
    if b"PRIVATE KEY" in text and _BEGIN.search(text):
        return True
    if any(mark in text for mark in _MARKS) or (b'"kty"' in text and _JWK.search(text)):
        return True
    return is_private_key(data) or data[:4] in _JAVA_KEY_STORES


def is_private_key(der: bytes) -> bool:
    """Tell whether the bytes are a private key in DER, encrypted or not, or a PKCS #12 store."""
    if der[:1] != bytes((_SEQUENCE,)):
        return False
    try:
        load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:  # it is encrypted
        return True
    except (ValueError, UnsupportedAlgorithm):
        return _is_key_store(der)
    return True


def spoiled_pins(data: bytes) -> frozenset[str]:
    """Return the SPKI pins of the keys whose private halves are in `data`, PEM or DER: they must never be certified.

    Encrypted ones cannot be read, and are not among them.
    """
    blocks = [match[0] for match in _BLOCK.finditer(data.replace(b"\0", b""))]
    pins = set()
    for load, blob in [(load_pem_private_key, block) for block in blocks] or [(load_der_private_key, data)]:
        try:
            key = load(blob, None, unsafe_skip_rsa_key_validation=True)
            pins.add(spki_pin(cast("CertificatePublicKeyTypes", key.public_key())))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
    return frozenset(pins)


def _is_key_store(der: bytes) -> bool:
    try:
        parts = elements.parts(der)
    except ValueError:
        return False
    return len(parts) > 1 and parts[0] == _PKCS_12_VERSION and parts[1][:1] == bytes((_SEQUENCE,))
