"""A certification request (RFC 2986). One exists only if its self-signature holds: proof of possession is the type."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.encoding import pem, request_der
from bothways.pki.keys import sha256, spki_pin


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A request whose sender holds the private key. `der` are the bytes as they came."""

    der: bytes
    subject: x509.Name
    public_key: CertificatePublicKeyTypes
    signature_hash: str
    extensions: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER request, as hex: what two people compare."""
        return sha256(self.der)

    @property
    def spki_pin(self) -> str:
        """SHA-256 of the key that the request asks a certificate for."""
        return spki_pin(self.public_key)

    @property
    def pem(self) -> str:
        """The request as one PEM block."""
        return pem("CERTIFICATE REQUEST", self.der)


def parse_request(data: bytes, subject: str = "request") -> CertificationRequest:
    """Return the request in `data` (PEM or DER); `subject` names it in findings.

    Raises `Refused` if it is none, or if its self-signature does not hold (RFC 2986 section 3, proof of possession).
    """
    der = request_der(data, subject)
    try:
        csr = x509.load_der_x509_csr(der)
        public_key = csr.public_key()
        possessed = csr.is_signature_valid
        hash_algorithm = csr.signature_hash_algorithm
        extensions = tuple(extension.oid.dotted_string for extension in csr.extensions)
        name = csr.subject
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise _refused("CSR-FILE-07", f"this is no certification request: {error}", "RFC 2986", subject) from error
    if not possessed:
        raise _refused(
            "CSR-POP-01", "the request is not signed by the key that is in it", "RFC 2986 section 3", subject
        )
    return CertificationRequest(der, name, public_key, hash_algorithm.name if hash_algorithm else "none", extensions)


def _refused(id: str, message: str, citation: str, subject: str) -> Refused:  # noqa: A002 - as in Finding
    hint = "Make the request again with the key that it is for, and submit the file unchanged."
    return Refused((Finding(id, message, hint, citation, subject),))
