"""A hub appears whole or not at all, and is opened only as it was made."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import delete
from tests.operations.conftest import Audit
from tests.postgresql import another
from tests.stored_keys import key_names

from bothways.contract.document import Environment, KeyType, Terms
from bothways.errors import BothwaysError, Conflict, Refused, Unusable
from bothways.operations.certificates import certificate_chain
from bothways.operations.customers import add_customer
from bothways.operations.hub import (
    Hub,
    contract,
    initialise,
    new_terms,
    open_hub,
    serial_number,
)
from bothways.operations.own_keys import require_signers
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.settings import Settings, render_settings
from bothways.pki.keys import spki_pin
from bothways.registry.customer import CustomerKind
from bothways.store import sealed_keys
from bothways.store.authorities import Role, signing_authority
from bothways.store.keys import moduli
from bothways.store.schema_keys import sealed_key


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory with a short name: the paths of a hub's sockets are limited, and pytest's own are long."""
    with TemporaryDirectory() as directory:
        yield Path(directory)


def everything(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_a_new_hub_is_opened_with_the_terms_and_settings_it_was_made_with(
    hub: Hub, terms: Terms, settings: Settings, audited: Audit
) -> None:
    settings = replace(settings, database=hub.settings.database)
    assert (hub.terms, hub.settings, hub.environment, hub.actor) == (terms, settings, Environment.PPR, "tester")
    assert audited() == [("hub.init", "ppr.hub.localhost")]


def test_its_secrets_are_for_its_user_alone(hub: Hub) -> None:
    with hub.read() as connection:
        keys = sealed_keys.every(connection)
    assert len(keys) == 9
    assert all(each.pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n") for each in keys.values())
    files = [hub.directory / "passphrase", *hub.directory.glob("*.db")]
    directories = [hub.directory, hub.run_directory]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in directories} == {0o700}


def test_each_ca_is_a_key_of_its_own(hub: Hub) -> None:
    trust = contract(hub).trust
    cas = [x509.load_pem_x509_certificate(pem.encode()) for pem in (trust.issuing_ca, trust.client_ca, trust.server_ca)]
    assert len({spki_pin(ca.public_key()) for ca in cas}) == 3
    for ca in cas:
        ca.verify_directly_issued_by(ca)
    assert [ca.subject.rfc4514_string() for ca in cas] == [
        "CN=ppr.hub.localhost PPR issuing CA,O=ppr.hub.localhost",
        "CN=ppr.hub.localhost PPR Client CA,O=ppr.hub.localhost",
        "CN=ppr.hub.localhost PPR server CA,O=ppr.hub.localhost",
    ]


def test_an_existing_hub_is_never_touched(hub: Hub, terms: Terms, settings: Settings) -> None:
    before = {path: path.read_bytes() for path in hub.directory.rglob("*") if path.is_file()}
    with pytest.raises(Conflict, match="already holds a hub"):
        initialise(hub.directory, terms, settings, "tester")
    assert {path: path.read_bytes() for path in hub.directory.rglob("*") if path.is_file()} == before


def _occupied(path: Path) -> None:
    path.mkdir()
    (path / "letter.txt").write_text("mine")


def _linked(path: Path) -> None:
    (path.parent / "elsewhere").mkdir()
    path.symlink_to(path.parent / "elsewhere")


@pytest.mark.parametrize("occupy", [_occupied, _linked, lambda path: path.write_text("mine")])
def test_a_place_that_is_taken_is_a_conflict(
    place: Path, terms: Terms, settings: Settings, occupy: Callable[[Path], object]
) -> None:
    occupy(place / "hub")
    before = everything(place)
    with pytest.raises(Conflict, match="is not empty"):
        initialise(place / "hub", terms, settings, "tester")
    assert everything(place) == before


def test_an_empty_directory_and_missing_parents_are_fine(place: Path, terms: Terms, settings: Settings) -> None:
    (place / "hub").mkdir()
    for directory in (place / "hub", place / "a" / "b"):
        initialise(directory, terms, another(settings), "tester")
        with open_hub(directory, "tester") as opened:
            assert opened.terms == terms


@pytest.mark.parametrize("parent", ["/proc/1", "/sys/kernel", "FILE"])
def test_a_parent_that_cannot_be_written_is_unusable(
    place: Path, terms: Terms, settings: Settings, parent: str
) -> None:
    file = place / "file"
    file.write_text("")
    with pytest.raises(Unusable, match=r"(no hub can be made in|cannot be written: ).* this user can write to"):
        initialise((file if parent == "FILE" else Path(parent)) / "hub", terms, settings, "tester")
    assert everything(place) == ["file"]


@pytest.mark.parametrize("name", ["n" * 90, "n" * 300])
def test_a_path_too_long_for_sockets_is_told_before_anything_is_made(
    place: Path, terms: Terms, settings: Settings, name: str
) -> None:
    with pytest.raises(Unusable, match="too long for unix sockets"):
        initialise(place / name, terms, settings, "tester")
    assert everything(place) == []


def test_the_limit_of_the_path_counts_bytes(place: Path, terms: Terms, settings: Settings) -> None:
    exactly = 100 - len(str(place / "run" / "connectivity.sock")) - 1
    with pytest.raises(Unusable, match="too long for unix sockets"):
        initialise(place / ("n" * (exactly - 1) + "é"), terms, settings, "tester")
    initialise(place / ("n" * exactly), terms, settings, "tester")
    assert (place / ("n" * exactly) / "hub.toml").is_file()


# The first fails when the database is to be filled, the second when the last file is written.
@pytest.mark.parametrize("passphrase_file", ["missing/passphrase", "hub.toml"])
def test_an_initialisation_that_fails_half_way_leaves_nothing(
    place: Path, terms: Terms, settings: Settings, passphrase_file: str
) -> None:
    with pytest.raises(BothwaysError):
        initialise(place / "hub", terms, replace(settings, passphrase_file=passphrase_file), "tester")
    assert everything(place) == []


def test_a_directory_without_a_hub_says_how_to_make_one(place: Path) -> None:
    with pytest.raises(Unusable, match="bothways hub init"), open_hub(place, "tester"):
        pass


def test_a_path_that_cannot_be_looked_into_is_unusable(place: Path) -> None:
    with pytest.raises(Unusable, match="file name too long"), open_hub(place / ("n" * 300), "tester"):
        pass


def test_a_passphrase_that_others_can_read_is_refused(hub: Hub) -> None:
    (hub.directory / "passphrase").chmod(0o644)
    with pytest.raises(Unusable, match="chmod 600"), open_hub(hub.directory, "tester"):
        pass


@pytest.mark.parametrize("role", Role)
def test_a_key_that_is_not_the_cas_is_refused_before_it_signs(hub: Hub, terms: Terms, role: Role, place: Path) -> None:
    initialise(place / "other", terms, another(hub.settings), "tester")
    (hub.directory / "passphrase").write_bytes((place / "other" / "passphrase").read_bytes())
    with open_hub(place / "other", "tester") as other, other.read() as connection:
        key = sealed_keys.find(connection, f"{role.value}-ca-1")
    assert key
    with hub.write() as transaction:
        transaction.connection.execute(delete(sealed_key))
        sealed_keys.add(transaction, f"{role.value}-ca-1", key)
    with open_hub(hub.directory, "tester") as opened:
        with opened.read() as connection:
            ca = signing_authority(connection, role)
        with pytest.raises(Unusable, match=f"the key {role.value}-ca-1 does not belong to the CA"):
            opened.keys.signer_of(ca.certificate, ca.key_name)
        with pytest.raises(Unusable):
            require_signers(opened)


def test_the_keys_of_a_good_hub_are_the_cas(hub: Hub) -> None:
    require_signers(hub)


def test_with_rsa_all_cas_have_rsa_keys_and_the_hub_works(
    place: Path, terms: Terms, settings: Settings, make_csr: Callable[..., bytes]
) -> None:
    initialise(place / "hub", terms, settings, "tester", KeyType.RSA)
    with open_hub(place / "hub", "tester") as opened:
        trust = contract(opened).trust
        for pem in (trust.issuing_ca, trust.client_ca, trust.server_ca):
            key = x509.load_pem_x509_certificate(pem.encode()).public_key()
            assert isinstance(key, rsa.RSAPublicKey)
            assert key.key_size == 4096
            # Customers' keys are compared with it.
            with opened.read() as connection:
                assert moduli(connection, [spki_pin(key)]) == {spki_pin(key): key.public_numbers().n}
        issued(opened, make_csr())


def test_with_a_token_the_issuing_key_is_there_and_in_no_file(
    place: Path, terms: Terms, settings: Settings, token_uri: str, make_csr: Callable[..., bytes]
) -> None:
    made = initialise(place / "hub", terms, replace(settings, signer=token_uri), "tester")
    assert (made.name, made.existed) == ("pkcs11:object=issuing-ca", False)
    with open_hub(place / "hub", "tester") as opened:
        assert not [each for each in key_names(opened) if each.startswith("issuing-")]
        issued(opened, make_csr())
        require_signers(opened)
    found = initialise(place / "again", terms, replace(another(settings), signer=token_uri), "tester")
    assert (found.existed, found.public_key) == (True, made.public_key)


def issued(hub: Hub, csr: bytes) -> None:
    """Issue for a request, and verify what came out."""
    add_customer(hub, "12345678", CustomerKind.ISSUER, "First Bank")
    record = approve_request(hub, submit_request(hub, "12345678", csr).id)
    leaf, ca = x509.load_pem_x509_certificates(certificate_chain(hub, record).encode())
    leaf.verify_directly_issued_by(ca)


def test_the_passphrase_can_lie_elsewhere(place: Path, terms: Terms, settings: Settings) -> None:
    elsewhere = replace(settings, passphrase_file=str(place / "passphrase"))
    with pytest.raises(Unusable, match="the passphrase of the hub's keys cannot be read"):
        initialise(place / "hub", terms, elsewhere, "tester")
    assert everything(place) == []
    (place / "passphrase").write_text("correct horse\n")
    (place / "passphrase").chmod(0o600)
    initialise(place / "hub", terms, elsewhere, "tester")
    assert not (place / "hub" / "passphrase").exists()
    with open_hub(place / "hub", "tester") as opened:
        require_signers(opened)
    (place / "passphrase").write_text("battery staple\n")
    with open_hub(place / "hub", "tester") as opened, pytest.raises(Unusable, match="does not open"):
        require_signers(opened)


def test_the_database_of_another_environment_is_refused(hub: Hub, place: Path, settings: Settings) -> None:
    terms = new_terms(Environment.PRD, "prd.hub.localhost", settings)
    other = another(settings)
    initialise(place / "prd", terms, other, "tester")
    if other.database:
        (hub.directory / "hub.toml").write_text(render_settings(other))
    else:
        (place / "prd" / "hub.db").replace(hub.directory / "hub.db")
    with pytest.raises(Unusable, match="belongs to PRD"), open_hub(hub.directory, "tester"):
        pass


def test_terms_that_were_edited_wrongly_are_refused(hub: Hub) -> None:
    (hub.directory / "contract.toml").write_text("format = 1\n")
    with pytest.raises(Refused, match=r"hub\.environment"), open_hub(hub.directory, "tester"):
        pass


def test_the_usual_port_is_not_spelled() -> None:
    terms = new_terms(Environment.PRD, "hub.example", Settings(inbound_port=443, portal_port=8444))
    assert (terms.endpoint, terms.portal) == ("https://api.hub.example", "https://portal.hub.example:8444")


def test_serial_numbers_fit_into_twenty_octets_and_differ() -> None:
    numbers = {serial_number() for _ in range(100)}
    assert len(numbers) == 100
    assert all(0 < number < 1 << 159 for number in numbers)
