"""A certificate for contracts, made once."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from bothways.pki.chain import certificate_pem


@pytest.fixture(scope="session")
def ca_pem(ecdsa_key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, ecdsa_key.public_key(), 1, start, start + timedelta(days=365))
    return certificate_pem(builder.sign(ecdsa_key, SHA256()))
