"""Small secrets that stand in the database, sealed with the passphrase that guards the hub's keys (AES-256-GCM)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bothways.errors import Unusable

_SALT, _NONCE, _KEY = 16, 12, 32
_WORK, _BLOCK, _PARALLEL = 1 << 14, 8, 1


def seal(passphrase: bytes, secret: bytes, place: str) -> bytes:
    """Return the secret sealed: readable with this passphrase, for this place, and unreadable if a bit changes."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return salt + nonce + AESGCM(_derived(passphrase, salt)).encrypt(nonce, secret, place.encode())


def unseal(passphrase: bytes, sealed: bytes, place: str) -> bytes:
    """Return the secret. Raises `Unusable` if it was sealed with another passphrase, for elsewhere, or changed."""
    salt, nonce, content = sealed[:_SALT], sealed[_SALT : _SALT + _NONCE], sealed[_SALT + _NONCE :]
    try:
        return AESGCM(_derived(passphrase, salt)).decrypt(nonce, content, place.encode())
    except (InvalidTag, ValueError) as error:
        raise Unusable(
            f"what is stored for {place} cannot be read with the hub's passphrase. Restore the passphrase that it was "
            "made with, or invite the person again."
        ) from error


def _derived(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY, n=_WORK, r=_BLOCK, p=_PARALLEL).derive(passphrase)
