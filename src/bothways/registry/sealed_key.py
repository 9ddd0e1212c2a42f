"""A private key of the hub as it is stored."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key, encrypted (PKCS #8 in PEM), and the version of the passphrase that it is encrypted with."""

    pem: bytes = field(repr=False)
    passphrase: int
