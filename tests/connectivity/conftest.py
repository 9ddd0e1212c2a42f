"""Certificates that a customer might present, as they are read of a handshake."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.pki.chain import certificate_pem
from bothways.pki.presented import Presented, read_presented

Ca = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


@pytest.fixture
def present(make_ca: Callable[..., Ca]) -> Callable[..., Presented]:
    """Return a maker of what was presented: for which names, by which CA (else by one of nobody), for which use."""

    def make(
        common_name: str = "TLSMA-ECDSA/12345678/PPR",
        uri_ids: tuple[str, ...] = (),
        *,
        issuer: Ca | None = None,
        named: x509.Name | None = None,
        usage: Any = ExtendedKeyUsageOID.CLIENT_AUTH,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Presented:
        key, authority = issuer or make_ca("Some other CA")
        now = datetime.now(UTC)
        names = [x509.UniformResourceIdentifier(each) for each in uri_ids]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(named or authority.subject)
            .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
            .serial_number(7)
            .not_valid_before(not_before or now - timedelta(days=30))
            .not_valid_after(not_after or now + timedelta(days=30))
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            certificate = certificate.add_extension(x509.SubjectAlternativeName(names), critical=False)
        read = read_presented(certificate_pem(certificate.sign(key, SHA256())))
        assert read is not None
        return read

    return make
