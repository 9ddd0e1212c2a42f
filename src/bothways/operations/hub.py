"""A hub: made once in a directory of its own, and opened by every command. Holds what all operations need."""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection

from bothways import files
from bothways.contract.document import Contract, Environment, KeyType, Terms, Trust
from bothways.contract.render import render_terms
from bothways.errors import Unusable
from bothways.operations import request_id
from bothways.operations.agreement import require_agreed, set_agreed
from bothways.operations.audit_head import sign_head
from bothways.operations.directory import CONTRACT_FILE, passphrase, read_terms
from bothways.operations.domain import require_domain
from bothways.operations.new_directory import new_directory
from bothways.operations.node_authority import control_plane_issuer
from bothways.operations.own_keys import open_keys, store_key
from bothways.operations.server_authority import PATH_LENGTH, may_vouch, server_issuer
from bothways.operations.settings import FILE, Settings, read_settings, render_settings
from bothways.pki import issue, profile
from bothways.pki.chain import certificate_pem
from bothways.pki.keys import spki_pin
from bothways.signer.keys import Keys, ProvidedKey
from bothways.store import authorities, database, statement_keys
from bothways.store.authorities import Role
from bothways.store.database import Database, Transaction
from bothways.store.keys import add_modulus
from bothways.store.observations import ObservationStore
from bothways.store.statement_keys import Purpose
from bothways.verification.verifier import Verifier

DATABASE_FILE = "hub.db"
OBSERVATIONS_FILE = "observations.db"
AUTHORITY_TITLES = {
    Role.ISSUING: "issuing CA",
    Role.CLIENT: "Client CA",
    Role.SERVER: "server CA",
    Role.NODE: "node CA",
}
"""What the CAs of a hub are called, in their names too."""
_HTTPS = 443


def now() -> datetime:
    """Return the current moment in UTC: the one clock of all operations."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hub:
    """An opened hub. `actor` is who acts, as the audit will name them; `observations` keeps why calls failed.

    `request_id` names the command in which it is used, for the audit; in a request, that one's id does.
    """

    directory: Path
    settings: Settings
    terms: Terms
    database: Database
    keys: Keys
    observations: ObservationStore
    actor: str
    now: Callable[[], datetime] = now
    request_id: str = ""
    verifier: Verifier = field(default_factory=Verifier)

    def read(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that only reads."""
        return self.database.read()

    def write(self) -> AbstractContextManager[Transaction]:
        """Begin a transaction that changes something."""
        return self.database.write(self.now(), self.actor, request_id.current() or self.request_id)

    @property
    def environment(self) -> Environment:
        """The one environment that this hub serves."""
        return self.terms.environment

    @property
    def control_plane_name(self) -> str:
        """The name by which remote nodes know the control plane, wherever it is: the DNS-ID of its certificate."""
        return f"control-plane.{self.terms.hub}"

    @property
    def run_directory(self) -> Path:
        """Where a running hub keeps its sockets, its log and its lock."""
        return self.directory / "run"

    @property
    def control_socket(self) -> Path:
        """Where the command line reaches the running hub."""
        return self.run_directory / "control.sock"


def new_terms(environment: Environment, domain: str, settings: Settings) -> Terms:
    """Return the terms of a new hub: endpoint `api.DOMAIN`, portal `portal.DOMAIN`, defaults for the rest.

    Raises `ValueError` if `domain` cannot be one.
    """
    require_domain(domain)
    return Terms(
        environment=environment,
        hub=domain,
        endpoint=_url(f"api.{domain}", settings.inbound_port),
        portal=_url(f"portal.{domain}", settings.portal_port),
    )


def initialise(
    directory: Path, terms: Terms, settings: Settings, actor: str, ca_key: KeyType = KeyType.ECDSA
) -> ProvidedKey:
    """Make a hub in `directory`: settings, terms, passphrase, database, its four CAs, and its own certificates.

    The directory appears whole or not at all; a key that was made in a token stays there, and is used by the next
    attempt. Returns the issuing CA's key. Raises `Conflict` if something is there, `Unusable` if it cannot be.
    """
    with new_directory(directory) as draft:
        return _fill(draft, terms, settings, actor, ca_key)


@contextmanager
def open_hub(directory: Path, actor: str, request_id: str = "", *, taking_terms: bool = False) -> Iterator[Hub]:
    """Open the hub in `directory`, and close it. Raises `Unusable` or `Refused` if it cannot be used as it is.

    `taking_terms`: its terms may be others than those of the control planes on the same database.
    """
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
    terms = read_terms(directory)
    with contextlib.ExitStack() as stack:
        store = database.open_existing(settings.database or directory / DATABASE_FILE, terms.environment.value)
        stack.callback(store.close)
        if not taking_terms:
            require_agreed(store, terms, str(directory / CONTRACT_FILE))
        keys = open_keys(store, directory, settings)
        stack.callback(keys.close)
        observed = ObservationStore(settings.database or directory / OBSERVATIONS_FILE)
        stack.callback(observed.close)
        stack.callback((verifier := Verifier()).close)
        yield Hub(directory, settings, terms, store, keys, observed, actor, now, request_id, verifier)


def contract(hub: Hub) -> Contract:
    """Return the contract as it is published: the terms, and the CAs of the hub that are not retired."""

    def bundle(role: Role) -> str:
        return "".join(certificate_pem(each.certificate) for each in authorities.trusted(connection, role))

    with hub.read() as connection:
        pin = statement_keys.find(connection, Purpose.BUNDLE).spki_pin
        return Contract(hub.terms, Trust(bundle(Role.ISSUING), bundle(Role.CLIENT), bundle(Role.SERVER), pin))


def serial_number() -> int:
    """Return a new serial number of 159 random bits, never zero (RFC 5280 section 4.1.2.2)."""
    return secrets.randbits(profile.SERIAL_BITS) or 1


def issuer_for_hub(connection: Connection, role: Role, moment: datetime) -> authorities.Authority:
    """Return the CA that signs the hub's own certificate for this role now."""
    if role is Role.NODE:
        return control_plane_issuer(connection, moment)
    if role is Role.SERVER:
        return server_issuer(connection, moment)
    return authorities.signing_authority(connection, role)


def sign_for_hub(
    hub: Hub, transaction: Transaction, role: Role, *, used: bool = True, issuer: authorities.Authority | None = None
) -> str:
    """Make a new key and certificate for the hub itself; return its serial number in hex.

    It is put to use at once, unless `used` is false: then it is stored as the next one, to be tried out. `issuer` is
    the CA that signs, if not the one that is to sign now.
    """
    issuer = issuer or issuer_for_hub(transaction.connection, role, transaction.now)
    signer = hub.keys.signer_of(issuer.certificate, issuer.key_name)
    key = hub.keys.generate(f"{role.value}-{secrets.token_hex(8)}")
    if role is Role.CLIENT:
        wanted = profile.hub_client(hub.terms.hub, hub.environment, key.public_key, transaction.now)
    elif role is Role.NODE:
        wanted = profile.server((hub.control_plane_name,), key.public_key, transaction.now)
    else:
        hosts = tuple(
            dict.fromkeys(url.split("://")[1].split(":")[0] for url in (hub.terms.endpoint, hub.terms.portal))
        )
        wanted = profile.server(hosts, key.public_key, transaction.now)
    unsigned = issue.issued_by(issuer.certificate, wanted, serial := serial_number())
    certificate = issue.assemble(unsigned, signer.sign(unsigned))
    authorities.add_credential(transaction, role, certificate, store_key(transaction, key), issuer, used=used)
    return f"{serial:x}"


def add_authority(
    hub: Hub,
    transaction: Transaction,
    role: Role,
    key: ProvidedKey,
    generation: int = 1,
    before: authorities.Authority | None = None,
) -> authorities.Authority:
    """Make a CA of the hub with this key; a server CA is linked to the one `before` it, if that one can vouch for it.

    Each generation has a name of its own: what verifies chains and CRLs finds an issuer by its name.
    """
    title = AUTHORITY_TITLES[role]
    if generation > 1:
        # Shorter, for there are 64 characters: "issuing G2".
        title = title.replace("CA", f"G{generation}")
    name = f"{hub.terms.hub} {hub.environment.value} {title}"
    below = PATH_LENGTH if role is Role.SERVER else 0
    wanted = profile.authority(name, hub.terms.hub, key.public_key, transaction.now, below)
    unsigned = issue.self_signed(wanted, serial_number())
    certificate = issue.assemble(unsigned, hub.keys.sign(key.name, unsigned))
    hub.keys.signer_of(certificate, key.name)
    link = _link(hub, before, certificate, transaction.now) if role is Role.SERVER and before else None
    if isinstance(key.public_key, rsa.RSAPublicKey):
        # Customers' keys are compared with it.
        add_modulus(transaction, spki_pin(key.public_key), key.public_key.public_numbers().n)
    return authorities.add_authority(transaction, role, certificate, store_key(transaction, key), link)


def _link(
    hub: Hub, before: authorities.Authority, added: x509.Certificate, moment: datetime
) -> x509.Certificate | None:
    if not may_vouch(before.certificate, moment):
        return None
    try:
        signer = hub.keys.signer_of(before.certificate, before.key_name)
    except Unusable:
        # Its key is lost, which may be why there is to be another.
        return None
    unsigned = issue.issued_by(before.certificate, profile.link(added, moment), serial_number())
    return issue.assemble(unsigned, signer.sign(unsigned))


def _fill(draft: Path, terms: Terms, settings: Settings, actor: str, ca_key: KeyType) -> ProvidedKey:
    files.write_new(draft / CONTRACT_FILE, render_terms(terms).encode())
    if not Path(settings.passphrase_file).is_absolute():
        files.write_new(draft / settings.passphrase_file, secrets.token_urlsafe(32).encode() + b"\n", files.PRIVATE)
    files.make_directory(draft / "run")
    # Before there is anything in a database: it may be somebody else's file, and missing.
    passphrase(draft, settings)
    observed = ObservationStore(settings.database or draft / OBSERVATIONS_FILE)
    with (
        database.created(settings.database or draft / DATABASE_FILE, terms.environment.value) as store,
        contextlib.closing(open_keys(store, draft, settings)) as keys,
        contextlib.closing(observed),
    ):
        hub = Hub(draft, settings, terms, store, keys, observed, actor)
        issuing_key = keys.provide_issuing_key("issuing-ca-1", ca_key)
        with hub.write() as transaction:
            transaction.audit("hub.init", terms.hub, environment=terms.environment.value)
            set_agreed(transaction, terms)
            add_authority(hub, transaction, Role.ISSUING, issuing_key)
            for role in (Role.CLIENT, Role.SERVER, Role.NODE):
                add_authority(hub, transaction, role, keys.generate(f"{role.value}-ca-1", ca_key))
            for role in (Role.SERVER, Role.CLIENT, Role.NODE):
                sign_for_hub(hub, transaction, role)
            for purpose in Purpose:
                key = keys.generate(f"statement-{purpose.value}")
                statement_keys.add(transaction, purpose, store_key(transaction, key), key.public_key)
        sign_head(hub, anew=True)
        # The settings come last: their presence is what makes the directory a hub.
        files.write_new(draft / FILE, render_settings(settings).encode())
    return issuing_key


def _url(host: str, port: int) -> str:
    return f"https://{host}" if port == _HTTPS else f"https://{host}:{port}"
