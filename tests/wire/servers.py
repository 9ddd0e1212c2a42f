"""Real servers in a customer's role: nginx, `openssl s_server`, Envoy and Python; and what can be wrong with them."""

import json
import socket
import ssl
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.conftest import free_ports
from tests.programs import found

from bothways.dataplane.envoy import find_envoy
from bothways.pki.chain import certificate_pem

_SECONDS = 10.0
NGINX = found("nginx")


@dataclass(frozen=True, slots=True)
class ServerPki:
    """The files of a server: what it sends, its key, the hub's Client CA; and the chain to endorse, in PEM."""

    certificate: Path
    key: Path
    client_ca: Path
    root: str
    intermediate: str

    @property
    def chain(self) -> bytes:
        return (self.intermediate + self.root).encode()


def make_pki(
    directory: Path,
    client_ca: str,
    host: str,
    *,
    names: list[x509.GeneralName] | None = None,
    days: int = 90,
    key: Any = None,
    send_intermediate: bool = True,
    middle_has: Sequence[x509.ExtensionType] = (),
    has: Sequence[x509.ExtensionType] = (),
) -> ServerPki:
    """Make root, intermediate and server certificate.

    `names` are its subjectAltNames, by default the host; `has` are critical extensions of it, `middle_has` of the
    intermediate.
    """
    root_key, root = _ca("Bank Root", None)
    middle_key, middle = _ca("Bank TLS", (root_key, root), middle_has)
    key = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    end = now + timedelta(days=days)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    builder = (
        _builder(subject, middle.subject, key.public_key(), min(now, end) - timedelta(days=1), end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    if names := [x509.DNSName(host)] if names is None else names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for each in has:
        builder = builder.add_extension(each, critical=True)
    own = certificate_pem(builder.sign(middle_key, SHA256()))
    made = ServerPki(
        directory / "tls.crt",
        directory / "tls.key",
        directory / "ca.crt",
        certificate_pem(root),
        certificate_pem(middle),
    )
    made.certificate.write_text(own + (made.intermediate if send_intermediate else ""))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    made.client_ca.write_text(client_ca)
    return made


@contextmanager
def nginx(pki: ServerPki, tls: str, location: str = "return 200 ok;", http: str = "") -> Iterator[int]:
    """Run nginx; `tls` are its directives for the server, `http` those around it. Yields its port."""
    [port] = free_ports(1)
    place = pki.certificate.parent
    temporary = " ".join(
        f"{each}_temp_path {place}/{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (place / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {place}/pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} {http}\n"
        f"server {{ listen 127.0.0.1:{port}{'' if tls == 'plain' else ' ssl'};\n"
        + ("" if tls == "plain" else f"ssl_certificate {pki.certificate}; ssl_certificate_key {pki.key}; {tls}\n")
        + f"location / {{ {location} }} }} }}\n"
    )
    command = [NGINX or "nginx", "-e", "stderr", "-p", str(place), "-c", str(place / "nginx.conf")]
    with process(command, port):
        yield port


def key_usage(**uses: bool) -> x509.KeyUsage:
    """Return the extension that allows these uses and no other."""
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{**dict.fromkeys(every, False), **uses})


@contextmanager
def s_server(pki: ServerPki, *options: str, anybody: bool = False) -> Iterator[int]:
    """Run `openssl s_server`, which requires a certificate under the Client CA, unless it takes `anybody`."""
    [port] = free_ports(1)
    between = pki.certificate.with_name("between.crt")
    between.write_text(pki.certificate.read_text().partition("-----END CERTIFICATE-----\n")[2])
    command = [
        "openssl",
        "s_server",
        "-accept",
        f"127.0.0.1:{port}",
        "-cert",
        str(pki.certificate),
        "-key",
        str(pki.key),
    ]
    command += ["-cert_chain", str(between)] if between.read_text() else []
    command += ["-CAfile", str(pki.client_ca), "-no-CApath", "-no-CAstore"]
    command += [] if anybody else ["-Verify", "2", "-verify_return_error"]
    command += ["-www", "-quiet", *options]
    with process(command, port):
        yield port


@contextmanager
def envoy(
    pki: ServerPki, *, anybody: bool = False, pinned: str = "", parameters: dict[str, Any] | None = None
) -> Iterator[int]:
    """Run an Envoy that requires a certificate under the Client CA, and answers every request.

    It may take `anybody`, or only the certificate that is `pinned`, by its SHA-256; `parameters` are those of TLS.
    """
    [port] = free_ports(1)
    trusted: dict[str, Any] = {"trusted_ca": {"filename": str(pki.client_ca)}}
    if pinned:
        trusted["verify_certificate_hash"] = [pinned]
    tls = {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "require_client_certificate": not anybody,
        "common_tls_context": {
            "tls_certificates": [
                {"certificate_chain": {"filename": str(pki.certificate)}, "private_key": {"filename": str(pki.key)}}
            ],
            "tls_params": parameters or {},
            **({} if anybody else {"validation_context": trusted}),
        },
    }
    answer = {
        "name": "all",
        "domains": ["*"],
        "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 204}}],
    }
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    manager = {
        "@type": f"type.googleapis.com/{kind}",
        "stat_prefix": "customer",
        "route_config": {"name": "all", "virtual_hosts": [answer]},
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "customer",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [
            {
                "filters": [{"name": "http", "typed_config": manager}],
                "transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls},
            }
        ],
    }
    file = pki.certificate.parent / "envoy.json"
    file.write_text(json.dumps({"static_resources": {"listeners": [listener]}}))
    with process(
        [str(find_envoy()), "-c", str(file), "--disable-hot-restart", "--concurrency", "1", "-l", "off"], port
    ):
        yield port


@contextmanager
def python(
    pki: ServerPki, prepare: Callable[[ssl.SSLContext], None] = lambda _: None, calls: list[bytes] | None = None
) -> Iterator[int]:
    """Run a server on Python's ssl that requires a certificate under the Client CA, unless `prepare` changes that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    context.load_verify_locations(pki.client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    with warnings.catch_warnings():
        # Old versions of TLS are deprecated, which is the point.
        warnings.simplefilter("ignore", DeprecationWarning)
        prepare(context)
    heard = [] if calls is None else calls

    def answer(plain: socket.socket) -> None:
        plain.settimeout(_SECONDS)
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secured:
            heard.append(secured.recv(4096))
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with accepting(answer) as port:
        yield port


@contextmanager
def accepting(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Accept connections on 127.0.0.1, and answer each in a thread of its own. Yields the port."""
    threads: list[threading.Thread] = []

    def one(plain: socket.socket) -> None:
        with plain:
            answer(plain)

    def accept() -> None:
        while True:
            plain, client = listening.accept()
            if client == waking:
                plain.close()
                return
            threads.append(threading.Thread(target=one, args=(plain,)))
            threads[-1].start()

    waking: Any = None
    with socket.create_server(("127.0.0.1", 0)) as listening:
        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listening.getsockname()[1]
        finally:
            with socket.socket() as last:
                last.bind(("127.0.0.1", 0))
                waking = last.getsockname()
                last.connect(listening.getsockname())
                acceptor.join()
            for each in threads:
                each.join()


@contextmanager
def process(command: list[str], port: int) -> Iterator[None]:
    """Run a command until its port takes connections, and end it afterwards."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        try:
            deadline = time.monotonic() + _SECONDS
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                assert running.poll() is None, running.stderr and running.stderr.read()
                assert time.monotonic() < deadline
            # What it says later is read by nobody, and must not block it.
            threading.Thread(target=lambda: running.stderr and running.stderr.read(), daemon=True).start()
            yield
        finally:
            running.terminate()
            running.wait(_SECONDS)


def _ca(
    name: str, issuer: tuple[Any, x509.Certificate] | None, more: Sequence[x509.ExtensionType] = ()
) -> tuple[Any, x509.Certificate]:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    named = issuer[1].subject if issuer else subject
    builder = _builder(subject, named, key.public_key(), now - timedelta(days=300), now + timedelta(days=3650))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for each in more:
        builder = builder.add_extension(each, critical=True)
    return key, builder.sign(issuer[0] if issuer else key, SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
