"""One private key: made, sealed for where it is stored (PKCS #8 under the hub's passphrase), opened, and used."""

from collections.abc import Sequence
from dataclasses import dataclass

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

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki.keys import RSA_BITS, RSA_EXPONENT
from bothways.pki.statement import Statement, sign_statement
from bothways.signer.signer import Signable

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A key in memory: a `Signer`."""

    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    @property
    def public_key(self) -> PublicKey:
        """The public part."""
        return self.private.public_key()

    def sign(self, unsigned: Signable) -> bytes:
        """Return the signature over the bytes, with SHA-256."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(unsigned.der, padding.PKCS1v15(), SHA256())
        return self.private.sign(unsigned.der, ec.ECDSA(SHA256()))

    def request(self, subject: x509.Name, extensions: Sequence[x509.ExtensionType]) -> bytes:
        """Return a certification request (RFC 2986, DER) for the key, signed by itself: it proves its possession.

        Never for the key of a CA, which signs certificates and their lists and nothing else.
        """
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        for each in extensions:
            builder = builder.add_extension(each, critical=False)
        return builder.sign(self.private, SHA256()).public_bytes(Encoding.DER)

    def state(self, statement: Statement) -> bytes:
        """Return the signature over a statement. Never for the key of a CA."""
        return sign_statement(self.private, statement)

    def pem(self) -> str:
        """Return the key in the clear, for the data plane that has to use it. Never for the key of a CA."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def new_key(kind: KeyType = KeyType.ECDSA) -> PrivateKey:
    """Make a new key: P-256, or RSA 4096, which takes seconds."""
    if kind is KeyType.RSA:
        return PrivateKey(rsa.generate_private_key(RSA_EXPONENT, RSA_BITS))
    return PrivateKey(ec.generate_private_key(ec.SECP256R1()))


def seal_key(key: PrivateKey, passphrase: bytes) -> bytes:
    """Return the key as it is stored: PKCS #8 in PEM, encrypted with the passphrase."""
    return key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))


def open_key(sealed: bytes, passphrase: bytes, name: str) -> PrivateKey:
    """Return a key as `seal_key` sealed it. Raises `Unusable` if the passphrase does not open it."""
    try:
        key = load_pem_private_key(sealed, passphrase)
    except (ValueError, TypeError) as error:
        raise Unusable(
            f"the passphrase does not open the private key {name}. Give the one that the hub's keys are sealed with: "
            "files.passphrase in hub.toml names its file."
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Unusable(f"the private key {name} is no ECDSA or RSA key. Restore the hub from a backup.")
    return PrivateKey(key)
