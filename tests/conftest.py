"""Fixtures that many tests share: a hub made for the test, a hub that runs, and requests and CAs in one line."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Connection
from tests.dns_server import DnsServer, serving_dns
from tests.forked import ForkedProcess
from tests.mail_server import Mailbox, serving_mail
from tests.oidc_server import CLIENT, SECRET, Provider, serving_oidc
from tests.postgresql import connected, copied, new_database, new_schema, on_postgresql
from tests.programs import SOFTHSM, absent_files, absent_provider, require, skip_if
from tests.work_factor import at_full_cost, lower

from bothways.cli.opening import control
from bothways.contract.document import Environment, Terms
from bothways.contract.render import render_terms
from bothways.demo.customer_ca import make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.agreement import digest
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.settings import EnvoyLifetime, Settings, render_settings
from bothways.registry.customer import CustomerKind
from bothways.store.append_only import trigger_names
from bothways.store.schema import audit

# The same examples each time, so that what fails was broken by the change at hand; `make soak` draws others each time.
# How long an example takes says nothing on a machine that others use as well.
hypothesis_settings.register_profile("steady", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.register_profile("explore", deadline=None, print_blob=True)
hypothesis_settings.load_profile("steady")

lower()

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ATTRIBUTES = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
GOOD_SUBJECT = {
    "C": "FR",
    "ST": "Ile-de-France",
    "L": "Paris",
    "O": "First Bank",
    "OU": "Payments",
    "CN": "TLSMA-ECDSA/12345678/PPR",
}

_LONG = (
    "tests/test_tutorials.py",
    "tests/web/api/test_router.py",
    "tests/demo/test_command.py",
    "tests/browser/test_issuer.py",
    "tests/browser/test_two_people.py",
    "tests/crash/test_crash.py",
)
"""Files with tests that take a quarter of a minute and more."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is long: begun last, it would run when the other workers have nothing to do any more."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.fixture
def dns_server() -> Iterator[DnsServer]:
    """A DNS server on 127.0.0.1."""
    with serving_dns() as server:
        yield server


@pytest.fixture
def full_work() -> Iterator[None]:
    """To try a passphrase or a password costs what it costs in the product."""
    with at_full_cost():
        yield


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def ecdsa_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 4096)


@pytest.fixture
def make_csr() -> Callable[..., bytes]:
    """Return a maker of requests in PEM: a new P-256 key unless `key` is given, the good subject with `changes`."""

    def make(key: Any = None, **changes: str | None) -> bytes:
        values = GOOD_SUBJECT | changes
        name = x509.Name(
            [x509.NameAttribute(ATTRIBUTES[each], text) for each, text in values.items() if text is not None]
        )
        builder = x509.CertificateSigningRequestBuilder().subject_name(name)
        return builder.sign(key or ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)

    return make


@pytest.fixture
def make_ca() -> Callable[..., tuple[ec.EllipticCurvePrivateKey, x509.Certificate]]:
    """Return a maker of CAs: self-signed, or under `issuer`; `days` counts from now, negative for an expired one."""

    def make(
        name: str,
        issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None = None,
        *,
        days: int = 3650,
        ca: bool = True,
        key: Any = None,
        extensions: Sequence[x509.ExtensionType] = (),
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        key = key or ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        end = datetime.now(UTC) + timedelta(days=days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer[1].subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(end, datetime.now(UTC)) - timedelta(days=1))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return key, builder.sign(issuer[0] if issuer else key, SHA256())

    return make


def unguarded(connection: Connection) -> None:
    """Do what only the owner of the database can: take out the triggers that keep the audit as it is."""
    for name in trigger_names(connection, audit):
        of = f" ON {audit.name}" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{of}")


def _ports() -> Iterator[int]:
    """Yield ports below those that the system gives to outgoing connections, none again before all others were.

    Each process of the tests has a range of its own: what one has looked up and not bound yet, no other one takes.
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _RANGES
    first = _PORTS.start + number * len(_PORTS) // _RANGES
    mine = [*range(first, first + len(_PORTS) // _RANGES)]
    random.shuffle(mine)
    return cycle(mine)


_PORTS, _RANGES = range(16000, 32000), 8
_next_ports = _ports()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            while True:
                with suppress(OSError):
                    each.bind(("127.0.0.1", next(_next_ports)))
                    break
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def local_settings() -> Settings:
    inbound, portal, egress = free_ports(3)
    return Settings(
        database=new_schema() if on_postgresql() else "",
        inbound_port=inbound,
        portal_port=portal,
        egress_port=egress,
        # A test that is killed leaves nothing behind.
        envoy_lifetime=EnvoyLifetime.HUB,
        danger_outbound_loopback=True,
        danger_outbound_any_port=True,
        # A test probes when it says so.
        scheduled_probes=False,
    )


@pytest.fixture
def settings() -> Settings:
    """Settings with free ports, and the dangerous knobs that loopback needs."""
    return local_settings()


@pytest.fixture
def terms(settings: Settings) -> Terms:
    return new_terms(Environment.PPR, "ppr.hub.localhost", settings)


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Hub]:
    """Return a maker of the hub that others are copied from, once in a file and once in PostgreSQL; it is closed.

    What takes time is to make its nine keys, and the tables in PostgreSQL.
    """

    @cache
    def made(kind: str) -> Hub:
        place = tmp_path_factory.mktemp("pattern") / "hub"
        settings = Settings(database=new_database() if kind == "postgresql" else "")
        initialise(place, new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
        with open_hub(place, "tester") as opened:
            return opened

    return made


@pytest.fixture
def hub(terms: Terms, settings: Settings, pattern: Callable[[str], Hub]) -> Iterator[Hub]:
    """A new hub for PPR, opened; nothing runs. Its path is short, because unix sockets have short names."""
    with new_hub(terms, settings, pattern) as made:
        yield made


@pytest.fixture
def shared_hub(terms: Terms, settings: Settings, pattern: Callable[[str], Hub]) -> Iterator[Hub]:
    """Another one, in a database on which several control planes can work."""
    with new_hub(terms, replace(settings, database="postgresql"), pattern) as made:
        yield made


@contextmanager
def new_hub(terms: Terms, settings: Settings, pattern: Callable[[str], Hub]) -> Iterator[Hub]:
    """Yield a new hub, opened; it is a copy of the pattern if it can be."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-"))) / "hub"
        made = pattern("postgresql" if settings.database else "sqlite")
        # Keys of another kind cannot be copied, nor certificates of another name.
        if not settings.signer and (terms.environment, terms.hub) == (made.environment, made.terms.hub):
            shutil.copytree(made.directory, directory)
            if settings.database:
                settings = replace(settings, database=stack.enter_context(copied(made.settings.database)))
                with connected(settings.database) as other:
                    other.execute("UPDATE hub SET terms = %s", [digest(terms)])
            (directory / "hub.toml").write_text(render_settings(settings))
            (directory / "contract.toml").write_text(render_terms(terms))
        else:
            initialise(directory, terms, settings, "tester")
        yield stack.enter_context(open_hub(directory, "tester"))


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory with a short path, for hubs: unix sockets have short names."""
    with tempfile.TemporaryDirectory(prefix="hub-") as place:
        yield Path(place)


@pytest.fixture
def issuer(hub: Hub) -> str:
    """The tspId of a registered issuer."""
    add_customer(hub, "12345678", CustomerKind.ISSUER, "First Bank")
    return "12345678"


@contextmanager
def running(hub: Hub) -> Iterator[BothwaysProcess]:
    """Run `bothways hub run` as a process, until it is ready."""
    with ExitStack() as stack:
        process = ForkedProcess(["hub", "run", "--directory", str(hub.directory)], hub.directory.parent / "hub.log")
        stack.callback(process.stop)
        assert process.next_line(30)["ready"] is True
        yield process


def envoy_pid(hub: Hub) -> int:
    """Return Envoy's process id; the one who keeps it writes that down a moment after Envoy has begun to serve."""
    end = time.monotonic() + 30
    while True:
        status = control(hub, "GET", "/status")
        assert status
        if status["envoy"]["pid"] is not None:
            return int(status["envoy"]["pid"])
        assert time.monotonic() < end, "no process id of Envoy is told"
        time.sleep(0.02)


@pytest.fixture
def running_hub(hub: Hub) -> Iterator[Hub]:
    """A new hub that runs as a process of its own, with the real Envoy."""
    with running(hub):
        yield hub


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The library of SoftHSM2, a real PKCS#11 token in software, with a directory of its own for tokens."""
    places = [*Path("/usr/lib").glob("softhsm/libsofthsm2.so"), *Path("/usr/lib").glob("*/softhsm/libsofthsm2.so")]
    require("softhsm2-util")
    skip_if(absent_files("libsofthsm2.so", "libsofthsm2", *SOFTHSM))
    directory = tmp_path_factory.mktemp("softhsm")
    (directory / "tokens").mkdir()
    (directory / "softhsm2.conf").write_text(f"directories.tokendir = {directory / 'tokens'}\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(directory / "softhsm2.conf")
    yield places[0]
    del os.environ["SOFTHSM2_CONF"]
    if before is not None:
        os.environ["SOFTHSM2_CONF"] = before


@pytest.fixture
def token_uri(softhsm: Path, tmp_path: Path) -> str:
    """The URI of a key `issuing-ca`, which is not there yet, in a new token."""
    return new_token(softhsm, tmp_path, "issuing-ca")


def new_token(softhsm: Path, place: Path, name: str) -> str:
    """Make a token, with its PIN in the file `pin` at the place, and return the URI of a key of this name in it."""
    label, pin = f"hub-{os.urandom(6).hex()}", os.urandom(6).hex()
    # Those of other tests go: beside dozens of tokens pkcs11-provider 1.0 forgets that it has signed in.
    for other in Path(os.environ["SOFTHSM2_CONF"]).with_name("tokens").iterdir():
        shutil.rmtree(other)
    (place / "pin").write_text(f"{pin}\n")
    (place / "pin").chmod(0o600)
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin", pin, "--pin", pin]
    subprocess.run(command, capture_output=True, check=True, timeout=60)
    # A library that runs already does not look for new tokens.
    pkcs11.lib(str(softhsm)).reinitialize()
    return f"pkcs11:token={label};object={name}?module-path={softhsm}&pin-source=file:{place / 'pin'}"


@pytest.fixture(scope="session")
def pkcs11_provider() -> None:
    """OpenSSL's pkcs11-provider, without which a test cannot be."""
    skip_if(absent_provider())


@pytest.fixture
def oidc(hub: Hub, tmp_path: Path) -> Iterator[tuple[Hub, Provider]]:
    """The hub with an OpenID provider set, and the provider, which runs."""
    made = make_server_files(tmp_path, "Identity", "localhost")
    (hub.directory / "oidc-secret").write_text(SECRET)
    (hub.directory / "oidc-secret").chmod(0o600)
    with serving_oidc(made.certificate, made.key) as provider:
        settings = replace(
            hub.settings,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_secret_file="oidc-secret",  # noqa: S106 - the name of a file
            oidc_ca_file=str(made.chain),
        )
        yield replace(hub, settings=settings), provider


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server that demands STARTTLS and a password."""
    with serving_mail(tmp_path, free_ports(1)[0]) as box:
        yield box


@pytest.fixture
def mailing(hub: Hub, mailbox: Mailbox) -> Hub:
    """The hub, with the mail server in its settings."""
    (hub.directory / "smtp-password").write_text("secret\n")
    (hub.directory / "smtp-password").chmod(0o600)
    settings = replace(
        hub.settings,
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_sender="pki@hub.example",
        smtp_username="hub",
        smtp_password_file="smtp-password",  # noqa: S106 - the name of a file
        smtp_ca_file=mailbox.ca_file,
    )
    return replace(hub, settings=settings)
