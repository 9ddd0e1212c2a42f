"""A real mail server on this machine, which demands STARTTLS and a password."""

import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """A mail server that keeps what it gets; it refuses as long as `answer` is no 250."""

    port: int
    directory: Path
    answer: str = "250 OK"
    letters: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answer.startswith("250"):
            self.letters.append(envelope.content)
        return self.answer

    @property
    def ca_file(self) -> str:
        return str(self.directory / "mail.pem")


def server_context(directory: Path) -> ssl.SSLContext:
    """Return the TLS context of a server on this machine; its certificate, self-signed, is in mail.pem."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, SHA256())
    )
    (directory / "mail.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (directory / "mail.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "mail.pem", directory / "mail.key")
    return context


def authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
    # Not handled: the server says itself what it thinks of the password.
    return AuthResult(success=(data.login, data.password) == (b"hub", b"secret"), handled=False)


@contextmanager
def serving_mail(directory: Path, port: int) -> Iterator[Mailbox]:
    """Run the server; its user is `hub`, with the password `secret`."""
    box = Mailbox(port, directory)
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=box.port,
        tls_context=server_context(directory),
        require_starttls=True,
        auth_required=True,
        authenticator=authenticated,
    )
    controller.start()
    yield box
    controller.stop()
