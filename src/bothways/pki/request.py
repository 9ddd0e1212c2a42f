"""A certification request (RFC 2986). One exists only if its self-signature holds: proof of possession is the type."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.encoding import BROKEN_DIGESTS, UNREADABLE, pem, request_der
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

    Raises `Refused` if it is none, or if its self-signature does not hold (RFC 2986 section 3, proof of possession) or
    cannot be checked.
    """
    der = request_der(data, subject)
    try:
        csr = x509.load_der_x509_csr(der)
        public_key = csr.public_key()
        possessed = csr.is_signature_valid
        hash_algorithm = csr.signature_hash_algorithm
        extensions = tuple(extension.oid.dotted_string for extension in csr.extensions)
        name = csr.subject
    except UNREADABLE as error:
        raise _refused("CSR-FILE-07", f"this is no certification request: {error}", "RFC 2986", subject) from error
    if hash_algorithm and hash_algorithm.name in BROKEN_DIGESTS:
        message = f"the request is signed with {hash_algorithm.name}; sha256 is wanted"
        raise _refused("CSR-KEY-02", message, "R7", subject)
    if not possessed:
        raise _refused(
            "CSR-POP-01", "the request is not signed by the key that is in it", "RFC 2986 section 3", subject
        )
    # The library reads explicit curve parameters as the curve they equal; RFC 5480 section 2.1.1 forbids them.
    if public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) not in der:
        message = "the key is not written in the usual form: a named curve with an uncompressed point, or plain RSA"
        raise _refused("CSR-KEY-04", message, "R7; RFC 5480 section 2.1.1; RFC 3279 section 2.3.1", subject)
    return CertificationRequest(der, name, public_key, hash_algorithm.name if hash_algorithm else "none", extensions)


def _refused(id: str, message: str, citation: str, subject: str) -> Refused:  # noqa: A002 - as in Finding
    hint = "Make the request again with the key that it is for, and submit the file unchanged."
    return Refused((Finding(id, message, hint, citation, subject),))
