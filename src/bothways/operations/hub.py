"""A hub: made once in a directory of its own, and opened by every command. Holds what all operations need."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from bothways import files
from bothways.contract.document import Contract, Environment, Terms, Trust
from bothways.contract.parse import parse_terms
from bothways.contract.render import render_terms
from bothways.errors import Conflict, Unusable
from bothways.operations.settings import FILE, Settings, read_settings, render_settings
from bothways.pki import issue, profile
from bothways.pki.chain import certificate_pem
from bothways.signer.key_files import KeyFiles
from bothways.store import authorities, database
from bothways.store.authorities import Role
from bothways.store.database import Database, Transaction

CONTRACT_FILE = "contract.toml"
DATABASE_FILE = "hub.db"
_HTTPS = 443
_SOCKET_PATH_LIMIT = 100


def now() -> datetime:
    """Return the current moment in UTC: the one clock of all operations."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hub:
    """An opened hub. `actor` is who acts, as the audit will name them."""

    directory: Path
    settings: Settings
    terms: Terms
    database: Database
    keys: KeyFiles
    actor: str
    now: Callable[[], datetime] = now

    def read(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that only reads."""
        return self.database.read()

    def write(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction that changes something."""
        return self.database.write(self.now(), self.actor)

    @property
    def environment(self) -> Environment:
        """The one environment that this hub serves."""
        return self.terms.environment

    @property
    def run_directory(self) -> Path:
        """Where a running hub keeps its sockets, its log and its lock."""
        return self.directory / "run"

    @property
    def control_socket(self) -> Path:
        """Where the command line reaches the running hub."""
        return self.run_directory / "control.sock"


def new_terms(environment: Environment, domain: str, settings: Settings) -> Terms:
    """Return the terms of a new hub: endpoint `api.DOMAIN`, portal `portal.DOMAIN`, defaults for the rest."""
    return Terms(
        environment=environment,
        hub=domain,
        endpoint=_url(f"api.{domain}", settings.inbound_port),
        portal=_url(f"portal.{domain}", settings.portal_port),
    )


def initialise(directory: Path, terms: Terms, settings: Settings, actor: str) -> None:
    """Make a hub in `directory`: settings, terms, passphrase, database, its three CAs, and its own certificates.

    The directory appears whole or not at all. Raises `Conflict` if something is there, `Unusable` if it cannot be.
    """
    longest = len(os.fsencode(directory.absolute() / "run" / "connectivity.sock"))
    if longest > _SOCKET_PATH_LIMIT:
        raise Unusable(
            f"the path {directory.absolute()} is too long for unix sockets: {longest} bytes with the file names, "
            f"at most {_SOCKET_PATH_LIMIT} work. Use a shorter path, like /var/lib/bothways/{terms.environment.value}."
        )
    try:
        _require_free(directory)
        directory.absolute().parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.absolute().parent))
    except OSError as error:
        raise Unusable(
            f"no hub can be made in {directory}: {(error.strerror or str(error)).lower()}. "
            "Use a directory that this user can write to."
        ) from error
    try:
        _fill(draft, terms, settings, actor)
        draft.replace(directory.absolute())
    except OSError as error:
        raise Conflict(
            f"{directory} was filled by somebody else meanwhile. Look at it, and name another one."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def open_hub(directory: Path, actor: str) -> Iterator[Hub]:
    """Open the hub in `directory`, and close it. Raises `Unusable` or `Refused` if it cannot be used as it is."""
    try:
        found = (directory / FILE).is_file()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise Unusable(f"{directory} cannot be looked into: {why}. Check the path and its mode.") from error
    if not found:
        raise Unusable(
            f"{directory} holds no hub. Make one: "
            f"bothways hub init --environment PPR --domain hub.example --directory {directory}"
        )
    settings = read_settings(directory)
    path = directory / CONTRACT_FILE
    terms = parse_terms(files.read(path, "the hub's terms").decode(errors="replace"), str(path))
    passphrase = files.read_private(directory / settings.passphrase_file, "the passphrase of the hub's keys").strip()
    store = database.open_existing(directory / DATABASE_FILE, terms.environment.value)
    try:
        yield Hub(directory, settings, terms, store, KeyFiles(directory / "keys", passphrase), actor)
    finally:
        store.close()


def contract(hub: Hub) -> Contract:
    """Return the contract as it is published: the terms, and all CAs of the hub."""

    def bundle(role: Role) -> str:
        return "".join(certificate_pem(each.certificate) for each in authorities.every_authority(connection, role))

    with hub.read() as connection:
        return Contract(hub.terms, Trust(bundle(Role.ISSUING), bundle(Role.CLIENT), bundle(Role.SERVER)))


def serial_number() -> int:
    """Return a new serial number of 159 random bits, never zero (RFC 5280 section 4.1.2.2)."""
    return secrets.randbits(profile.SERIAL_BITS) or 1


def sign_for_hub(hub: Hub, transaction: Transaction, role: Role) -> str:
    """Make a new key and certificate for the hub itself, and put it to use; return its serial number in hex."""
    name = f"{role.value}-{secrets.token_hex(8)}"
    key = hub.keys.generate(name)
    issuer = authorities.signing_authority(transaction.connection, role)
    if role is Role.CLIENT:
        wanted = profile.hub_client(hub.terms.hub, hub.environment, key, transaction.now)
    else:
        hosts = tuple(
            dict.fromkeys(url.split("://")[1].split(":")[0] for url in (hub.terms.endpoint, hub.terms.portal))
        )
        wanted = profile.server(hosts, key, transaction.now)
    unsigned = issue.issued_by(issuer.certificate, wanted, serial := serial_number())
    certificate = issue.assemble(unsigned, hub.keys.sign(issuer.key_name, unsigned))
    authorities.add_credential(transaction, role, certificate, name, issuer)
    return f"{serial:x}"


def _require_free(directory: Path) -> None:
    if (directory / FILE).exists():
        raise Conflict(f"{directory} already holds a hub. Run it: bothways hub run --directory {directory}")
    if directory.is_symlink() or (directory.exists() and not (directory.is_dir() and not any(directory.iterdir()))):
        raise Conflict(f"{directory} is not empty, and a hub wants a directory of its own. Name another one.")


def _fill(draft: Path, terms: Terms, settings: Settings, actor: str) -> None:
    passphrase = secrets.token_urlsafe(32).encode()
    files.write_new(draft / CONTRACT_FILE, render_terms(terms).encode())
    files.write_new(draft / settings.passphrase_file, passphrase + b"\n", files.PRIVATE)
    files.make_directory(draft / "keys")
    files.make_directory(draft / "run")
    store = database.create(draft / DATABASE_FILE, terms.environment.value)
    hub = Hub(draft, settings, terms, store, KeyFiles(draft / "keys", passphrase), actor)
    try:
        with hub.write() as transaction:
            transaction.audit("hub.init", terms.hub, environment=terms.environment.value)
            for role in Role:
                _add_authority(hub, transaction, role)
            sign_for_hub(hub, transaction, Role.SERVER)
            sign_for_hub(hub, transaction, Role.CLIENT)
    finally:
        store.close()
    # The settings come last: their presence is what makes the directory a hub.
    files.write_new(draft / FILE, render_settings(settings).encode())


def _add_authority(hub: Hub, transaction: Transaction, role: Role) -> None:
    name = f"{role.value}-ca-1"
    title = {Role.ISSUING: "issuing CA", Role.CLIENT: "Client CA", Role.SERVER: "server CA"}[role]
    key = hub.keys.generate(name)
    wanted = profile.authority(f"{hub.terms.hub} {hub.environment.value} {title}", hub.terms.hub, key, transaction.now)
    unsigned = issue.self_signed(wanted, serial_number())
    certificate = issue.assemble(unsigned, hub.keys.sign(name, unsigned))
    authorities.add_authority(transaction, role, certificate, name)


def _url(host: str, port: int) -> str:
    return f"https://{host}" if port == _HTTPS else f"https://{host}:{port}"
