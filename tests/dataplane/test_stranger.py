import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.dataplane.stranger import foreign_certificate
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub


def test_the_foreign_certificate_says_what_a_customers_would_under_another_key(hub: Hub) -> None:
    [ours] = x509.load_pem_x509_certificates(hub_state(hub).trust.pem.encode())
    one, other = (x509.load_pem_x509_certificate(foreign_certificate(ours.subject)) for _ in range(2))
    assert one.issuer == ours.subject
    assert list(one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.CLIENT_AUTH
    ]
    with pytest.raises(InvalidSignature):
        one.verify_directly_issued_by(ours)
    assert one.public_key() != other.public_key()
