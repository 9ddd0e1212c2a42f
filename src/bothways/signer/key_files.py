"""Private keys in encrypted PEM files (PKCS#8), one file per key, loaded once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bothways import files
from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki.keys import RSA_BITS, RSA_EXPONENT
from bothways.pki.statement import Statement, sign_statement
from bothways.signer.signer import Signable

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_NAME = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True, slots=True, repr=False)
class LoadedKey:
    """A key in memory: a `Signer`."""

    private: PrivateKey

    @property
    def public_key(self) -> PublicKey:
        """The public part."""
        return self.private.public_key()

    def sign(self, unsigned: Signable) -> bytes:
        """Return the signature over the bytes, with SHA-256."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(unsigned.der, padding.PKCS1v15(), SHA256())
        return self.private.sign(unsigned.der, ec.ECDSA(SHA256()))


class KeyFiles:
    """The keys of one hub, in `directory`, each encrypted with the hub's passphrase."""

    def __init__(self, directory: Path, passphrase: bytes) -> None:
        self._directory = directory
        self._passphrase = passphrase
        self._loaded: dict[str, LoadedKey] = {}

    def generate(self, name: str, kind: KeyType = KeyType.ECDSA) -> PublicKey:
        """Make a new key (P-256, or RSA 4096), store it under `name`, return its public part.

        Raises `Conflict` if there is one of this name, `Unusable` if it cannot be written.
        """
        key: PrivateKey
        if kind is KeyType.RSA:
            key = rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(self._passphrase))
        files.write_new(self._path(name), pem, files.PRIVATE)
        self._loaded[name] = LoadedKey(key)
        return key.public_key()

    def signer(self, name: str) -> LoadedKey:
        """Return the key, read and decrypted at its first use. Raises `Unusable`."""
        if name not in self._loaded:
            path = self._path(name)
            pem = files.read_private(path, f"the private key {name}")
            try:
                key = load_pem_private_key(pem, self._passphrase)
            except (ValueError, TypeError) as error:
                raise Unusable(f"the passphrase does not open {path}. Set files.passphrase in hub.toml.") from error
            if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
                raise Unusable(f"{path} holds no ECDSA or RSA key. Restore the directory from a backup.")
            self._loaded[name] = LoadedKey(key)
        return self._loaded[name]

    def request(self, name: str, subject: x509.Name, extensions: Sequence[x509.ExtensionType]) -> bytes:
        """Return a certification request (RFC 2986, DER) for the key, signed by itself: it proves its possession.

        Never for the key of a CA, which signs certificates and their lists and nothing else. Raises `Unusable`.
        """
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        for each in extensions:
            builder = builder.add_extension(each, critical=False)
        return builder.sign(self.signer(name).private, SHA256()).public_bytes(Encoding.DER)

    def state(self, name: str, statement: Statement) -> bytes:
        """Return the signature of a key over a statement. Never for the key of a CA. Raises `Unusable`."""
        return sign_statement(self.signer(name).private, statement)

    def private_pem(self, name: str) -> str:
        """Return the key in the clear, for the data plane that has to use it. Never for the key of a CA."""
        pem = self.signer(name).private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a key")
        return self._directory / f"{name}.key"
