"""What a CA signs with: one interface, whether the key lies in a file or in a token."""

from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.errors import Unusable
from bothways.pki.issue import Unsigned
from bothways.pki.keys import spki_pin
from bothways.pki.revocation import UnsignedList

Signable = Unsigned | UnsignedList
"""What a CA's key signs, and nothing else: a certificate that was linted, or a revocation list that we made."""


class Signer(Protocol):
    """One private key, opened once. What it signs with, follows from its public key (`pki.issue.algorithm`)."""

    @property
    def public_key(self) -> CertificatePublicKeyTypes:
        """The public part."""

    def sign(self, unsigned: Signable) -> bytes:
        """Return the signature over the bytes: DER for ECDSA (RFC 3279), the octets of PKCS #1 v1.5 for RSA.

        Raises `Unusable` if the key is out of reach.
        """


def require_pair(signer: Signer, certificate: x509.Certificate, name: str) -> None:
    """Raise `Unusable` if the key does not belong to the CA's certificate: it would sign what nobody can verify."""
    found, wanted = signer.public_key, certificate.public_key()
    if found != wanted:
        raise Unusable(
            f"the key {name} does not belong to the CA {certificate.subject.rfc4514_string()}: its SPKI pin is "
            f"{spki_pin(found)}, the certificate's is {spki_pin(wanted)}. Nothing was signed. "
            "Restore the key and the database from the same backup, or name the right key in hub.toml."
        )
