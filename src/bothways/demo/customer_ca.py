"""A customer's own PKI, as a bank has one: root, intermediate, and the certificate of its server."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bothways import files
from bothways.pki.chain import certificate_pem

_DAYS = 365


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Where the server's certificate (with the intermediate), its key, and its CA chain (to be endorsed) are."""

    certificate: Path
    key: Path
    chain: Path


def make_server_files(directory: Path, organization: str, host: str, days: int = _DAYS) -> ServerFiles:
    """Make the PKI and write the files; a negative number of `days` makes a certificate that has expired."""
    root_key, root = _ca(f"{organization} Root", None)
    intermediate_key, intermediate = _ca(f"{organization} TLS", (root_key, root))
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    leaf = (
        _builder(host, intermediate.subject, key, now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(intermediate_key, SHA256())
    )
    made = ServerFiles(directory / "server.crt", directory / "server.key", directory / "server-ca.crt")
    files.write_new(made.certificate, (certificate_pem(leaf) + certificate_pem(intermediate)).encode())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.write_new(made.key, pem, files.PRIVATE)
    files.write_new(made.chain, (certificate_pem(intermediate) + certificate_pem(root)).encode())
    return made


def _ca(
    name: str, issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    issuer_name = issuer[1].subject if issuer else _name(name)
    certificate = (
        _builder(name, issuer_name, key, datetime.now(UTC) + timedelta(days=10 * _DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(issuer[0] if issuer else key, SHA256())
    )
    return key, certificate


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), end) - timedelta(days=1))
        .not_valid_after(end)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
