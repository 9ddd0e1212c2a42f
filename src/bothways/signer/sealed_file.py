"""Files that are encrypted with a passphrase as they are written, of any length: backups.

AES-256-GCM in chunks, each under its own nonce, which counts them and marks the last (STREAM, Hoang et al. 2015):
chunks that were changed, left out, put in, moved or cut off are not read. The key comes from the passphrase by scrypt.
"""

import io
import os
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bothways.errors import Unusable

PASSPHRASE_LEAST = 12
"""Characters: whoever has the file can try as long as they like."""

_MAGIC = b"bothways-sealed-1\n"
_SALT, _KEY, _PREFIX, _TAG = 16, 32, 7, 16
_WORK, _BLOCK, _PARALLEL = 1 << 17, 8, 1
_CHUNK = 1 << 16


class SealedWriter(io.RawIOBase):
    """A file object that encrypts what is written into `out`. Closed, it is whole; without that, it is none."""

    def __init__(self, out: BinaryIO, passphrase: bytes) -> None:
        require_long(passphrase)
        self._out = out
        salt, self._prefix = os.urandom(_SALT), os.urandom(_PREFIX)
        self._header = _MAGIC + salt + self._prefix
        self._cipher = _cipher(passphrase, salt)
        self._count = 0
        self._left = bytearray()
        out.write(self._header)

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override] # what can be copied is enough
        """Take bytes; return how many."""
        self._left += data
        # One byte more than a chunk is kept back, so that the last chunk is known to be it.
        while len(self._left) > _CHUNK:
            self._put(bytes(self._left[:_CHUNK]), last=False)
            del self._left[:_CHUNK]
        return len(data)

    def finish(self) -> None:
        """Write the last chunk."""
        self._put(bytes(self._left), last=True)
        self._left.clear()

    def _put(self, chunk: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._count, last=last)
        self._out.write(self._cipher.encrypt(nonce, chunk, self._header))
        self._count += 1


class SealedReader(io.RawIOBase):
    """A file object that decrypts a sealed file; no byte comes out that was not verified. Raises `Unusable`."""

    def __init__(self, source: BinaryIO, passphrase: bytes, path: Path) -> None:
        self._source, self._path = source, path
        self._header = source.read(len(_MAGIC) + _SALT + _PREFIX)
        if len(self._header) != len(_MAGIC) + _SALT + _PREFIX or not self._header.startswith(_MAGIC):
            raise Unusable(f"{path} is no backup of a hub. Give what `bothways hub backup` wrote.")
        self._prefix = self._header[-_PREFIX:]
        self._cipher = _cipher(passphrase, self._header[len(_MAGIC) : -_PREFIX])
        self._count = 0
        self._ready = b""
        self._ahead = source.read(_CHUNK + _TAG)
        self._ended = False

    def readable(self) -> bool:
        """Tell that it can be read from."""
        return True

    def readinto(self, target: bytearray) -> int:  # type: ignore[override] # as above
        """Fill the target as far as there is something; return how many bytes, 0 at the end."""
        while not self._ready and not self._ended:
            self._next()
        part = self._ready[: len(target)]
        target[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

    def _next(self) -> None:
        sealed, self._ahead = self._ahead, self._source.read(_CHUNK + _TAG)
        self._ended = not self._ahead
        try:
            nonce = _nonce(self._prefix, self._count, last=self._ended)
            self._ready = self._cipher.decrypt(nonce, sealed, self._header)
        except (InvalidTag, ValueError) as error:
            raise Unusable(
                f"{self._path} cannot be read on from chunk {self._count}: the passphrase is another one, or the file "
                "was changed or cut off. Give the passphrase that it was written with, or take another backup."
            ) from error
        self._count += 1


def require_long(passphrase: bytes) -> None:
    """Raise `Unusable` if the passphrase is too short for a file that others may get hold of."""
    if len(passphrase) < PASSPHRASE_LEAST:
        raise Unusable(
            f"the passphrase has {len(passphrase)} characters, and at least {PASSPHRASE_LEAST} are wanted. Make one: "
            "openssl rand -base64 24"
        )


def _cipher(passphrase: bytes, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt, _KEY, _WORK, _BLOCK, _PARALLEL).derive(passphrase))


def _nonce(prefix: bytes, count: int, *, last: bool) -> bytes:
    return prefix + count.to_bytes(4) + bytes([last])
