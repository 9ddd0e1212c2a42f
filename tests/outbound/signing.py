"""A customer's CA, as far as it signs a request of the hub's (R13)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.pki.chain import certificate_pem
from bothways.store.customer_credentials import CustomerCredential


def returned_by(ca: tuple[Any, x509.Certificate], credential: CustomerCredential, days: int = 365) -> bytes:
    """Return what comes back, in PEM with the CA before the certificate; it ends after so many days."""
    request = x509.load_der_x509_csr(credential.request)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(ca[1].subject, request.subject, request.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(ca[0], SHA256())
    )
    return (certificate_pem(ca[1]) + certificate_pem(certificate)).encode()
