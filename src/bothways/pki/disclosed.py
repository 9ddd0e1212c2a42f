"""Private keys where none may be: seen in whatever a person pasted, and named by the public keys that they spoil.

Nothing here returns, keeps or repeats a private key.
"""

import base64
import re
from itertools import islice

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_ssh_private_key

from bothways.pki import der as elements
from bothways.pki import jwk, pasted, unprotected
from bothways.pki.keys import RSA_BITS, spki_pin

_MARKS = (b"PRIVATE KEY-----", b"PuTTY-User-Key-File", b"Private-Key: (")
"""PEM, PuTTY, and what `openssl pkey -text` prints."""
_BEGIN = re.compile(rb"BEGIN [A-Z0-9 ]{0,20}PRIVATE KEY")
_JWK = re.compile(rb'"d"\s*:')
# RSAKeyValue as .NET writes it. The tag alone stands in one honest request in 250,000, in one in 16,000 of RSA 4096.
_XML = re.compile(rb"<D>[A-Za-z0-9+/=\s]{16}")
_OPENSSH = b"openssh-key-v1\0"
_SSH_LABEL = b"OPENSSH PRIVATE KEY"
_SEQUENCE = 0x30
_JAVA_KEY_STORES = (bytes.fromhex("feedfeed"), bytes.fromhex("cececece"))
_PKCS_12_VERSION = bytes.fromhex("020103")


def has_private_key(data: bytes) -> bool:
    """Tell whether a private key is in `data`: PEM in any encoding of text, DER, a key store, or what tools print."""
    text = data.replace(b"\0", b"")  # UTF-16 and UTF-32, in which some editors save
    if b"PRIVATE KEY" in text and _BEGIN.search(text):
        return True
    if any(mark in text for mark in _MARKS) or (b'"kty"' in text and _JWK.search(text)) or _XML.search(text):
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
    """Return the SPKI pins of the keys whose private halves are in `data`: they must never be certified.

    Read are PKCS #8, PKCS #1, SEC 1 and OpenSSH's form, in DER or base64, and JWK, whatever stands around; and PKCS #8
    and PKCS #12 stores that an empty password opens. Each is proved: that the private numbers belong to the public
    ones, for otherwise anybody could spoil anybody's key. What another password protects, is written in another form,
    or has more than 4096 bits, cannot be read, and is not among them.
    """
    effort = unprotected.Effort()
    plain = (each for piece in pasted.pieces(data) for each in (piece, *unprotected.keys_in(piece, effort)))
    keys = (key for key in map(_private_key, plain) if key is not None)
    whole = (key for key in islice(keys, jwk.KEYS_MOST) if _is_whole(key))
    return frozenset(spki_pin(key.public_key()) for key in (*whole, *jwk.private_keys(data)))


def _private_key(blob: bytes) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None:
    loaded: object = None
    try:
        if blob.startswith(_OPENSSH):
            block = b"-----BEGIN %b-----\n%b-----END %b-----\n" % (_SSH_LABEL, base64.encodebytes(blob), _SSH_LABEL)
            loaded = load_ssh_private_key(block, None, unsafe_skip_rsa_key_validation=True)
        elif blob[:1] == bytes((_SEQUENCE,)):
            loaded = load_der_private_key(blob, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(loaded, rsa.RSAPrivateKey):
        return loaded if loaded.key_size <= RSA_BITS else None
    return loaded if isinstance(loaded, ec.EllipticCurvePrivateKey) else None


def _is_whole(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bool:
    """Tell whether the private numbers are those of the public key; for a curve, that was a condition of reading it."""
    if isinstance(key, rsa.RSAPrivateKey):
        try:
            key.private_numbers().private_key()
        except ValueError:
            return False
    return True


def _is_key_store(der: bytes) -> bool:
    try:
        parts = elements.parts(der)
    except ValueError:
        return False
    return len(parts) > 1 and parts[0] == _PKCS_12_VERSION and parts[1][:1] == bytes((_SEQUENCE,))
