"""Private keys in encrypted PEM files (PKCS#8), one file per key, loaded once."""

import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bothways import files
from bothways.errors import Unusable
from bothways.pki.issue import Unsigned

_NAME = re.compile(r"[a-z0-9-]+")


class KeyFiles:
    """The keys of one hub, in `directory`, each encrypted with the hub's passphrase."""

    def __init__(self, directory: Path, passphrase: bytes) -> None:
        self._directory = directory
        self._passphrase = passphrase
        self._loaded: dict[str, ec.EllipticCurvePrivateKey] = {}

    def generate(self, name: str) -> ec.EllipticCurvePublicKey:
        """Make a new P-256 key, store it under `name`, and return its public part. Raises `Conflict`, `Unusable`."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(self._passphrase))
        files.write_new(self._path(name), pem, files.PRIVATE)
        self._loaded[name] = key
        return key.public_key()

    def sign(self, name: str, unsigned: Unsigned) -> bytes:
        """Return the ECDSA-with-SHA256 signature over a certificate's bytes, in DER."""
        return self._key(name).sign(unsigned.der, ec.ECDSA(SHA256()))

    def private_pem(self, name: str) -> str:
        """Return the key in the clear, for the data plane that has to use it. Never for the key of a CA."""
        pem = self._key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode()

    def _key(self, name: str) -> ec.EllipticCurvePrivateKey:
        if name not in self._loaded:
            path = self._path(name)
            pem = files.read_private(path, f"the private key {name}")
            try:
                key = load_pem_private_key(pem, self._passphrase)
            except (ValueError, TypeError) as error:
                raise Unusable(f"the passphrase does not open {path}. Set passphrase_file in hub.toml.") from error
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise Unusable(f"{path} holds no ECDSA key. Restore the directory from a backup.")
            self._loaded[name] = key
        return self._loaded[name]

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a key")
        return self._directory / f"{name}.key"
