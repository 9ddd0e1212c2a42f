"""Who gets through the handshake of the endpoint, and who does not (R1, R5, R6)."""

import json
import re
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.conftest import local_settings
from tests.programs import needs
from tests.wire.conftest import ISSUER, MERCHANT, World

from bothways import files
from bothways.contract.document import Environment
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import initialise, new_terms, open_hub
from bothways.pki import issue
from bothways.pki.profile import Profile
from bothways.registry.customer import CustomerKind
from bothways.spoke.directory import Spoke
from bothways.store.authorities import Role, signing_authority

pytestmark = pytest.mark.envoy

CLIENT_AUTH, SERVER_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


def refusal(world: World, context: ssl.SSLContext) -> str:
    """Return why the endpoint refuses: in TLS 1.3 it says so after the handshake (RFC 8446 section 4.4.2).

    Nothing is sent, for a write to a connection that is closed already would lose the reason.
    """
    try:
        with world.tls(context) as line:
            answer = line.recv(1)
    except ssl.SSLError as error:
        return str(error.reason)
    except TimeoutError:
        pytest.fail("the endpoint let it in, and waits for a request")
    pytest.fail(f"the endpoint closed without a reason, after {answer!r}")


def presented(spoke: Spoke, certificate: x509.Certificate, key: Any, directory: Path) -> Spoke:
    """Return the spoke with another certificate and key in its hand."""
    other = replace(spoke, directory=directory)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    other.key_file.write_bytes(pem)
    other.certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return other


def leaf_of(spoke: Spoke) -> x509.Certificate:
    return x509.load_pem_x509_certificates(spoke.certificate_file.read_bytes())[0]


def twin(original: x509.Certificate, issuer: x509.Name, key: Any, signer: Any) -> x509.Certificate:
    """Return a certificate that says what the original says, under another signature."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(original.subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(original.serial_number)
        .not_valid_before(original.not_valid_before_utc)
        .not_valid_after(original.not_valid_after_utc)
    )
    for extension in original.extensions:
        if not isinstance(extension.value, x509.SubjectKeyIdentifier | x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(signer, SHA256())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_customers_certificate_gets_through(world: World, caller: Spoke, version: ssl.TLSVersion) -> None:
    context = world.context(caller)
    context.minimum_version = context.maximum_version = version
    with world.tls(context) as line:
        line.sendall(f"GET /connectivity HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("curve", ["X25519", "prime256v1", "secp384r1"])
def test_a_customer_may_know_one_curve_alone(world: World, caller: Spoke, curve: str) -> None:
    context = world.context(caller)
    context.set_ecdh_curve(curve)
    with world.tls(context) as line:
        line.sendall(f"GET /connectivity HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode())
        assert line.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_certificate_is_refused(world: World, version: ssl.TLSVersion) -> None:
    context = world.context()
    context.minimum_version = context.maximum_version = version
    # TLS 1.2 has no alert for it but handshake_failure.
    wanted = "HANDSHAKE_FAILURE" if version is ssl.TLSVersion.TLSv1_2 else "CERTIFICATE_REQUIRED"
    assert wanted in refusal(world, context)


def test_a_self_signed_twin_is_refused(world: World, caller: Spoke, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    original = leaf_of(caller)
    forged = twin(original, original.subject, key, key)
    assert "UNKNOWN_CA" in refusal(world, world.context(presented(caller, forged, key, tmp_path)))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_twin_of_a_foreign_ca_with_the_same_name_is_refused(
    world: World, caller: Spoke, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    key, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    original = leaf_of(caller)
    forged = twin(original, original.issuer, key, signer)
    context = world.context(presented(caller, forged, key, tmp_path))
    context.minimum_version = context.maximum_version = version
    assert refusal(world, context) in {"TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_DECRYPT_ERROR"}


def test_a_certificate_of_the_other_environment_is_refused(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("prd")
    settings = local_settings()
    initialise(directory / "hub", new_terms(Environment.PRD, "prd.hub.localhost", settings), settings, "tester")
    with open_hub(directory / "hub", "tester") as hub:
        add_customer(hub, "12345678", CustomerKind.ISSUER, "Bank")
        spoke, _ = World(hub, directory).certified()
    assert "UNKNOWN_CA" in refusal(world, world.context(spoke))


def signed_by_the_issuing_ca(
    world: World, spoke: Spoke, directory: Path, change: Callable[[Profile], Profile]
) -> Spoke:
    """Return the spoke with a certificate that the issuing CA really signed, and that is changed in one thing."""
    original, key = leaf_of(spoke), ec.generate_private_key(ec.SECP256R1())
    names = original.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    now = datetime.now(UTC)
    usual = Profile(
        original.subject,
        key.public_key(),
        now - timedelta(days=2),
        now + timedelta(days=1),
        False,
        CLIENT_AUTH,
        tuple(names),
    )
    with world.hub.read() as connection:
        authority = signing_authority(connection, Role.ISSUING)
    unsigned = issue.issued_by(authority.certificate, change(usual), 7)
    return presented(spoke, issue.assemble(unsigned, world.hub.keys.sign(authority.key_name, unsigned)), key, directory)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda usual: replace(usual, not_after=datetime.now(UTC) - timedelta(days=1)), "CERTIFICATE_EXPIRED"),
        (lambda usual: replace(usual, usage=SERVER_AUTH), "UNSUPPORTED_CERTIFICATE"),
    ],
    ids=["expired", "server certificate"],
)
def test_a_certificate_of_the_issuing_ca_for_another_time_or_use_is_refused(
    world: World, caller: Spoke, tmp_path: Path, change: Callable[[Profile], Profile], wanted: str
) -> None:
    other = signed_by_the_issuing_ca(world, caller, tmp_path, change)
    assert wanted in refusal(world, world.context(other))


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


OTHER = "urn:bothways:PPR:12345678:7"
# What is told of the URI-ID of a certificate that is on record.
NAMES: dict[str, Callable[[str], tuple[x509.GeneralName, ...]]] = {
    "never stored": lambda _: (uri(OTHER),),
    "with another behind it": lambda own: (uri(own), uri(OTHER)),
    "with another before it": lambda own: (uri(OTHER), uri(own)),
    "twice": lambda own: (uri(own), uri(own)),
    "behind a comma": lambda own: (uri(f"{OTHER},{own}"),),
    "in other capitals": lambda own: (uri(own.replace("PPR", "ppr")),),
    "in part": lambda own: (uri(own[:-1]),),
    "and more": lambda own: (uri(f"{own}0"),),
    "not at all": lambda _: (x509.DNSName("12345678.example"),),
}


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_certificate_of_the_issuing_ca_without_exactly_an_identity_on_record_passes_no_route(
    world: World, caller: Spoke, tmp_path: Path, names: Callable[[str], tuple[x509.GeneralName, ...]]
) -> None:
    held = leaf_of(caller).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    [own] = held.get_values_for_type(x509.UniformResourceIdentifier)
    other = signed_by_the_issuing_ca(world, caller, tmp_path, lambda usual: replace(usual, names=names(own)))
    with world.open(other) as line:
        assert [line.ask(path)[0] for path in ("/connectivity", "/tokens", "/")] == [403, 403, 403]


def test_the_common_name_decides_nothing(world: World, caller: Spoke, tmp_path: Path) -> None:
    merchant, _ = world.certified(MERCHANT)
    world.apply()
    subject = leaf_of(merchant).subject
    other = signed_by_the_issuing_ca(world, caller, tmp_path, lambda usual: replace(usual, subject=subject))
    with world.open(other) as line:
        assert json.loads(line.ask("/tokens")[1])["headers"]["bothways-customer"] == ISSUER


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_customers_certificate_vouches_for_no_other(
    world: World, caller: Spoke, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """As browsers once took it (CVE-2002-0862): a chain through an end entity, under the very CA that is trusted."""
    key, own = ec.generate_private_key(ec.SECP256R1()), leaf_of(caller)
    signer = load_pem_private_key(caller.key_file.read_bytes(), None)
    other = presented(caller, twin(own, own.subject, key, signer), key, tmp_path)
    with other.certificate_file.open("ab") as file:
        file.write(own.public_bytes(Encoding.PEM))
    context = world.context(other)
    context.minimum_version = context.maximum_version = version
    assert refusal(world, context) in {"TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE"}


@pytest.mark.parametrize("pair", ["server", "client"])
def test_the_hubs_own_certificates_open_nothing(world: World, pair: str) -> None:
    held, context = getattr(hub_state(world.hub), pair), world.context()
    with files.readable((held.key_pem + held.certificate_pem).encode(), world.hub.run_directory) as path:
        context.load_cert_chain(path)
    assert "UNKNOWN_CA" in refusal(world, context)


@pytest.mark.parametrize("name", ["other.localhost", "ppr.hub.localhost", "portal.ppr.hub.localhost", None])
def test_a_wrong_or_missing_server_name_is_closed(world: World, caller: Spoke, name: str | None) -> None:
    context = world.context(caller)
    context.check_hostname = False
    with pytest.raises((ssl.SSLError, ConnectionError)), world.tls(context, name):
        pytest.fail("the handshake succeeded")


def test_tls_1_1_is_refused(world: World, caller: Spoke) -> None:
    context = world.context(caller)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert "PROTOCOL_VERSION" in refusal(world, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_session_is_resumed(world: World, caller: Spoke, version: ssl.TLSVersion) -> None:
    context = world.context(caller)
    context.minimum_version = context.maximum_version = version
    request = f"GET /connectivity HTTP/1.1\r\nHost: {world.host}\r\n\r\n".encode()
    with world.tls(context) as first:
        first.sendall(request)
        assert first.recv(12) == b"HTTP/1.1 200"
        session = first.session
    assert session is None or not session.has_ticket
    with world.tls(context, session=session) as second:
        second.sendall(request)
        assert second.recv(12) == b"HTTP/1.1 200"
        assert second.session_reused is False


@needs("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_no_signature_with_sha_1_is_asked_for(world: World, version: str) -> None:
    settings, name = world.hub.settings, world.host.split(":")[0]
    address = f"{settings.inbound_address}:{settings.inbound_port}"
    seen = subprocess.run(
        ["openssl", "s_client", version, "-connect", address, "-servername", name],
        input=b"",
        capture_output=True,
        check=False,
        timeout=30,
    ).stdout.decode()
    [asked] = re.findall(r"^Requested Signature Algorithms: (.*)$", seen, flags=re.MULTILINE)
    assert "ECDSA+SHA256" in asked
    assert "SHA1" not in asked


@needs("openssl")
def test_a_handshake_is_not_begun_again_on_an_open_connection(world: World, caller: Spoke, tmp_path: Path) -> None:
    """In TLS 1.2 another certificate could come in its middle (CVE-2009-3555), or one handshake after the other."""
    settings, trusted = world.hub.settings, tmp_path / "ca.crt"
    trusted.write_text(caller.contract.trust.server_ca)
    address = f"{settings.inbound_address}:{settings.inbound_port}"
    identity = ["-cert", str(caller.certificate_file), "-key", str(caller.key_file), "-CAfile", str(trusted)]
    name = ["-servername", world.host.split(":")[0]]
    done = subprocess.run(
        ["openssl", "s_client", "-tls1_2", "-connect", address, *name, *identity],
        # Its own command to begin anew.
        input=b"R\n",
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert b"Verification: OK" in done.stdout
    assert b"Compression: NONE" in done.stdout
    assert b"no renegotiation" in done.stderr
