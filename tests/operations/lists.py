"""Revocation lists that a hub never published."""

from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.operations.hub import Hub
from bothways.store import authorities
from bothways.store.authorities import Role


def forged_list(hub: Hub, serial: str = "1") -> bytes:
    """Return a list in the name of the hub's CA that revokes this certificate; another key signed it."""
    with hub.read() as connection:
        [authority] = authorities.trusted(connection, Role.ISSUING)
    revoked = x509.RevokedCertificateBuilder(int(serial, 16), hub.now()).build()
    builder = x509.CertificateRevocationListBuilder(
        authority.certificate.subject, hub.now(), hub.now() + timedelta(days=1), revoked_certificates=[revoked]
    ).add_extension(x509.CRLNumber(1000), critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.DER)
