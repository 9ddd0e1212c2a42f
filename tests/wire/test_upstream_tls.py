"""A service over TLS is called only if its certificate has its name and comes from the CAs that were given for it."""

import json
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.wire.conftest import ISSUER, World
from tests.wire.upstream import Upstream, answer, serving

from bothways.pki.chain import certificate_pem
from bothways.registry.service import Service
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy

CA = tuple[Any, x509.Certificate]


def server_context(directory: Path, ca: CA, name: x509.GeneralName, alpn: str = "http/1.1") -> ssl.SSLContext:
    """Return the TLS context of a server with a certificate of this CA for this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca[1].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        .sign(ca[0], SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / "server.pem").write_bytes(certificate_pem(certificate).encode() + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem")
    context.set_alpn_protocols([alpn])
    return context


def test_a_service_is_called_over_tls_under_its_name_and_its_ca(
    world: World, caller: Spoke, make_ca: Callable[..., CA], tmp_path: Path
) -> None:
    ca, names = make_ca("Service CA"), []
    context = server_context(tmp_path, ca, x509.DNSName("localhost"))
    context.sni_callback = lambda _, name, __: names.append(name)
    with serving(answer, context) as upstream:
        url = f"https://localhost:{upstream.port}"
        world.serve(Service("tls", "/tls", url, upstream_ca=certificate_pem(ca[1])), ISSUER)
        with world.open(caller) as line:
            assert line.until("/tls/a", 200) == b"/tls/a"
    assert set(names) == {"localhost"}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("other-ca", x509.DNSName("localhost")),
        ("other-name", x509.DNSName("other.localhost")),
        ("wildcard", x509.DNSName("*.localhost")),
        ("not-dns", x509.UniformResourceIdentifier("https://localhost")),
    ],
)
def test_a_server_that_is_another_one_gets_no_request(
    world: World, caller: Spoke, make_ca: Callable[..., CA], tmp_path: Path, kind: str, name: x509.GeneralName
) -> None:
    ca = make_ca("Service CA")
    signer = make_ca("Service CA") if kind == "other-ca" else ca
    tried = threading.Event()
    context = server_context(tmp_path, signer, name)
    context.sni_callback = lambda *_: tried.set()
    with serving(answer, context) as upstream:
        url = f"https://localhost:{upstream.port}"
        world.serve(Service(kind, f"/{kind}", url, upstream_ca=certificate_pem(ca[1])), ISSUER)
        with world.open(caller) as line:
            while not tried.is_set():
                body = line.until(f"/{kind}", 503)
            body = line.until(f"/{kind}", 503)
    # Nothing of the inside is told to customers.
    assert json.loads(body)["type"] == "urn:bothways:problem:service-unreachable"
    assert b"CERTIFICATE" not in body
    assert upstream.heads == []


def test_a_server_without_tls_gets_no_request(world: World, caller: Spoke, make_ca: Callable[..., CA]) -> None:
    def plain(_: Upstream, connection: socket.socket) -> None:
        found.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    found: list[bytes] = []
    with serving(plain) as upstream:
        pem = certificate_pem(make_ca("Service CA")[1])
        world.serve(Service("no-tls", "/no-tls", f"https://localhost:{upstream.port}", upstream_ca=pem), ISSUER)
        with world.open(caller) as line:
            while not found:
                line.until("/no-tls", 503)
    # A handshake (RFC 8446 section 5.1), and no request.
    assert {each[:1] for each in found} == {b"\x16"}
    assert not any(b"no-tls" in each for each in found)
