"""A certification request (RFC 2986). One exists only if its self-signature holds: proof of possession is the type."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.encoding import pem
from bothways.pki.keys import sha256
from bothways.pki.proof import FORM, PROOF
from bothways.pki.reading import Reading, read_request


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A request whose sender holds the private key, with all that it says in `reading`."""

    reading: Reading
    subject: x509.Name
    public_key: CertificatePublicKeyTypes

    @property
    def der(self) -> bytes:
        """The bytes as they came, without what held them."""
        return self.reading.der

    @property
    def notes(self) -> tuple[Finding, ...]:
        """How the file that it came in was normalised."""
        return self.reading.notes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER request, as hex: what two people compare."""
        return sha256(self.der)

    @property
    def spki_pin(self) -> str:
        """SHA-256 of the key that the request asks a certificate for."""
        return self.reading.spki_pin

    @property
    def pem(self) -> str:
        """The request as one PEM block."""
        return pem("CERTIFICATE REQUEST", self.der)


def parse_request(data: bytes, subject: str = "request") -> CertificationRequest:
    """Return the request in `data` (PEM or DER); `subject` names it in findings.

    Raises `Refused` if it is none, or breaks a rule of `PROOF`: if its self-signature does not hold (RFC 2986
    section 3, proof of possession) or cannot be checked, or if it can be read in more than one way.
    """
    return require_proved(read_request(data, subject), subject)


def require_proved(reading: Reading, subject: str, *, vouched: bool = False) -> CertificationRequest:
    """Return the request that was read, as `proved` does. Raises `Refused` with what is against it."""
    request, findings = proved(reading, subject, vouched=vouched)
    if request is None:
        raise Refused(findings)
    return request


def proved(
    reading: Reading, subject: str, *, vouched: bool = False
) -> tuple[CertificationRequest | None, tuple[Finding, ...]]:
    """Return the request if the rules of `PROOF` find nothing in what was read, and otherwise what they find.

    `vouched`: its caller has seen `reading.is_possessed` say yes to these very bytes.
    """
    rules = PROOF if not vouched else FORM
    findings = tuple(finding for rule in rules for finding in rule.findings(reading, subject))
    if findings or reading.subject is None or reading.public_key is None:
        return None, findings
    return CertificationRequest(reading, reading.subject, reading.public_key), ()
