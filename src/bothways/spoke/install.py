"""Installing the certificate that the hub issued, after checking that it is the one that was asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways import files
from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.pki.encoding import certificates_der
from bothways.pki.keys import spki_pin
from bothways.spoke.csr import read_key
from bothways.spoke.directory import Spoke


@dataclass(frozen=True, slots=True)
class Installed:
    """What was installed."""

    fingerprint: str
    uri_id: str
    not_after: datetime


def install_certificate(spoke: Spoke, data: bytes, subject: str = "certificate") -> Installed:
    """Check the certificate in `data` (PEM, with or without its issuer) and write `tls.crt`; the one before is kept.

    Raises `Refused` with all findings: it must be for our key, from this hub's issuing CA, for this customer and
    environment, a client certificate, and valid now.
    """
    try:
        certificate = x509.load_der_x509_certificate(certificates_der(data, subject)[0])
    except ValueError as error:
        raise Refused((_finding("INSTALL-01", f"this is no certificate: {error}", subject),)) from error
    issuers = x509.load_pem_x509_certificates(spoke.contract.trust.issuing_ca.encode())
    issuer = next((each for each in issuers if _issued_by(certificate, each)), None)
    findings = []
    if spki_pin(certificate.public_key()) != spki_pin(read_key(spoke).public_key()):
        findings.append(_finding("INSTALL-02", f"the certificate is not for the key in {spoke.key_file}", subject))
    if issuer is None:
        name = certificate.issuer.rfc4514_string()
        findings.append(_finding("INSTALL-03", f"its issuer {name} is not the issuing CA of the contract", subject))
    uri_id = _uri_id(certificate)
    wanted = f"urn:bothways:{spoke.contract.terms.environment.value}:{spoke.tsp_id}:"
    if not uri_id.startswith(wanted):
        findings.append(_finding("INSTALL-04", f"its URI-ID is {uri_id or 'missing'}, wanted {wanted}...", subject))
    if not _is_client(certificate):
        findings.append(_finding("INSTALL-05", "it is not a client certificate (extended key usage)", subject))
    now = datetime.now(UTC)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        dates = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} to {certificate.not_valid_after_utc:%Y-%m-%d %H:%M}"
        findings.append(_finding("INSTALL-06", f"it is valid from {dates} UTC, now is {now:%Y-%m-%d %H:%M}", subject))
    if findings or issuer is None:
        raise Refused(tuple(findings))
    if spoke.certificate_file.exists():
        previous = spoke.certificate_file.with_name("tls.crt.previous")
        files.replace(previous, files.read(spoke.certificate_file, "the certificate before"))
    files.replace(spoke.certificate_file, (certificate_pem(certificate) + certificate_pem(issuer)).encode())
    return Installed(fingerprint(certificate), uri_id, certificate.not_valid_after_utc)


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _uri_id(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    return " ".join(names.get_values_for_type(x509.UniformResourceIdentifier))


def _is_client(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage


def _finding(id: str, message: str, subject: str) -> Finding:  # noqa: A002 - as in Finding
    return Finding(id, message, "Ask the hub for the certificate of your request.", "R6", subject)
