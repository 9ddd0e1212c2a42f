import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.postgresql import another

from bothways.bundle import seal
from bothways.bundle.seal import Bundle, Kind, make_bundle, open_bundle
from bothways.contract.document import Environment, KeyType, Terms
from bothways.contract.parse import parse_contract
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.errors import Conflict, Refused, Unusable
from bothways.operations.authorities import add_client_authority
from bothways.operations.bundles import export_bundle, import_bundle
from bothways.operations.customer_credentials import request_credential
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub, initialise, open_hub
from bothways.operations.requests import approve_request
from bothways.operations.settings import Settings
from bothways.pki.keys import sha256, spki_pin
from bothways.pki.statement import sign_statement
from bothways.registry.customer import CustomerKind
from bothways.spoke.bundle import Answer, last_taken, make_answer, spoke_from_bundle, take_in
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.pair import read_key
from bothways.store import statement_keys
from bothways.store.statement_keys import Purpose

SUBJECT = Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments")


@pytest.fixture
def spoke(hub: Hub, issuer: str, tmp_path: Path) -> Spoke:
    made = export_bundle(hub, issuer, {})
    return spoke_from_bundle(tmp_path / "spoke", made.data, made.fingerprint)


@pytest.fixture
def other_hub(terms: Terms, settings: Settings) -> Iterator[Hub]:
    """Another hub that says that it is the same."""
    with tempfile.TemporaryDirectory(prefix="hub-") as place:
        initialise(Path(place) / "hub", terms, another(settings), "tester")
        with open_hub(Path(place) / "hub", "tester") as opened_hub:
            yield opened_hub


def opened(answer: Answer) -> Bundle:
    return open_bundle(answer.data, Kind.CUSTOMER, "answer.zip")


def finding_ids(error: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [each.id for each in error.value.findings]


def test_the_first_bundle_makes_a_spoke_for_the_customer_that_it_is_for(hub: Hub, spoke: Spoke, issuer: str) -> None:
    assert (spoke.tsp_id, spoke.contract.terms) == (issuer, hub.terms)
    assert open_spoke(spoke.directory).contract == spoke.contract


@pytest.mark.parametrize("written", ["{}", " {} ", "AB:{}"])
def test_the_fingerprint_that_was_read_out_decides(hub: Hub, issuer: str, tmp_path: Path, written: str) -> None:
    made = export_bundle(hub, issuer, {})
    given = written.format(" ".join(made.fingerprint[place : place + 4] for place in range(0, 64, 4)).upper())
    if written.startswith("AB"):
        with pytest.raises(Refused) as refused:
            spoke_from_bundle(tmp_path / "spoke", made.data, given)
        assert finding_ids(refused) == ["BUNDLE-08"]
        assert not (tmp_path / "spoke").exists()
    else:
        assert spoke_from_bundle(tmp_path / "spoke", made.data, given).tsp_id == issuer


def test_request_and_answer_go_to_the_hub_and_the_certificate_comes_back(hub: Hub, spoke: Spoke, issuer: str) -> None:
    request = make_request(spoke, KeyType.ECDSA, SUBJECT)
    answer = make_answer(spoke, endpoint="https://bank.example.com")
    assert answer.spki_pin == request.spki_pin
    done = import_bundle(hub, answer.data)
    assert done.request
    approve_request(hub, done.request.id)
    taken = take_in(spoke, export_bundle(hub, issuer, {}).data)
    assert taken.installed
    assert (taken.contract_changed, spki_pin(read_key(spoke.key_file).key.public_key())) == (False, request.spki_pin)
    # From now on the key in use signs.
    later = make_answer(open_spoke(spoke.directory), endpoint="https://bank.example.com/hub")
    assert (later.spki_pin, later.members) == (request.spki_pin, (seal.ENDPOINT,))
    assert import_bundle(hub, later.data).url == "https://bank.example.com/hub"


def test_a_renewal_is_signed_by_its_own_new_key(hub: Hub, spoke: Spoke, issuer: str) -> None:
    make_request(spoke, KeyType.ECDSA, SUBJECT)
    first = import_bundle(hub, make_answer(spoke).data)
    assert first.request
    approve_request(hub, first.request.id)
    take_in(spoke, export_bundle(hub, issuer, {}).data)
    renewal = make_request(open_spoke(spoke.directory), KeyType.ECDSA, SUBJECT)
    assert make_answer(open_spoke(spoke.directory)).spki_pin == renewal.spki_pin


def test_no_private_key_leaves(spoke: Spoke) -> None:
    make_request(spoke, KeyType.ECDSA, SUBJECT)
    members = opened(make_answer(spoke, b"a chain")).members
    assert {*members} == {seal.REQUEST, seal.SERVER_CHAIN}
    assert not any(b"PRIVATE" in each for each in members.values())


def test_a_next_client_ca_comes_with_the_next_bundle(hub: Hub, spoke: Spoke, issuer: str) -> None:
    add_client_authority(hub)
    assert take_in(spoke, export_bundle(hub, issuer, {}).data).contract_changed
    assert (spoke.directory / "client-ca.crt").read_text().count("BEGIN CERTIFICATE") == 2
    assert open_spoke(spoke.directory).contract.trust.client_ca.count("BEGIN CERTIFICATE") == 2


def test_an_older_bundle_brings_no_withdrawn_trust_back(hub: Hub, spoke: Spoke, issuer: str) -> None:
    old = export_bundle(hub, issuer, {}).data
    add_client_authority(hub)
    new = export_bundle(hub, issuer, {}).data
    take_in(spoke, new)
    with pytest.raises(Refused) as refused:
        take_in(open_spoke(spoke.directory), old)
    assert finding_ids(refused) == ["BUNDLE-05"]
    assert not take_in(open_spoke(spoke.directory), new).contract_changed


def test_a_bundle_for_another_customer_is_refused(hub: Hub, spoke: Spoke) -> None:
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    with pytest.raises(Refused) as refused:
        take_in(spoke, export_bundle(hub, "87654321", {}).data)
    assert finding_ids(refused) == ["BUNDLE-04"]


ELSEWHERE = pytest.mark.parametrize("elsewhere", [{"environment": Environment.PRD}, {"hub": "other.example"}], ids=str)


def sent_astray(hub: Hub, tsp_id: str, contract: dict[str, Any], about: dict[str, Any]) -> bytes:
    """Return a bundle that the right key signed, whose contract or address is another one."""
    made = open_bundle(export_bundle(hub, tsp_id, {}).data, Kind.HUB, "hub.zip")
    agreed = parse_contract(made.text(seal.CONTRACT))
    agreed = replace(agreed, terms=replace(agreed.terms, **contract))
    members = {**made.members, seal.CONTRACT: render_contract(agreed).encode()}
    with hub.read() as connection:
        key = statement_keys.find(connection, Purpose.BUNDLE)
    meant = replace(made.about, **about)
    return make_bundle(Kind.HUB, meant, members, key.public_key, lambda one: hub.keys.state(key.name, one))


@ELSEWHERE
def test_a_bundle_of_another_environment_or_hub_is_refused(hub: Hub, spoke: Spoke, elsewhere: dict[str, Any]) -> None:
    # All of it fits together.
    with pytest.raises(Refused) as refused:
        take_in(spoke, sent_astray(hub, spoke.tsp_id, elsewhere, elsewhere))
    assert finding_ids(refused) == ["BUNDLE-04"]
    assert open_spoke(spoke.directory).contract == spoke.contract


@ELSEWHERE
def test_a_first_bundle_whose_contract_is_for_elsewhere_makes_no_spoke(
    hub: Hub, issuer: str, tmp_path: Path, elsewhere: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        spoke_from_bundle(tmp_path / "spoke", sent_astray(hub, issuer, elsewhere, {}), None)
    assert finding_ids(refused) == ["BUNDLE-04"]
    assert not (tmp_path / "spoke").exists()


def test_the_first_bundle_is_signed_by_the_key_that_its_contract_names(hub: Hub, issuer: str, tmp_path: Path) -> None:
    made = open_bundle(export_bundle(hub, issuer, {}).data, Kind.HUB, "hub.zip")
    other = ec.generate_private_key(ec.SECP256R1())
    data = make_bundle(
        Kind.HUB, made.about, made.members, other.public_key(), lambda statement: sign_statement(other, statement)
    )
    with pytest.raises(Refused) as refused:
        spoke_from_bundle(tmp_path / "spoke", data, None)
    assert finding_ids(refused) == ["BUNDLE-06"]
    assert not (tmp_path / "spoke").exists()


def test_a_bundle_that_another_key_signed_is_refused(spoke: Spoke, other_hub: Hub, tmp_path: Path) -> None:
    before = {each.name: each.read_bytes() for each in spoke.directory.iterdir() if each.is_file()}
    add_customer(other_hub, spoke.tsp_id, CustomerKind.ISSUER, "First Bank")
    with pytest.raises(Refused) as refused:
        take_in(spoke, export_bundle(other_hub, spoke.tsp_id, {}).data)
    assert finding_ids(refused) == ["BUNDLE-06"]
    assert {each.name: each.read_bytes() for each in spoke.directory.iterdir() if each.is_file()} == before
    assert tmp_path


def test_the_hubs_request_is_laid_down_for_the_customers_ca(hub: Hub, spoke: Spoke, issuer: str) -> None:
    request_credential(hub, issuer, {})
    taken = take_in(spoke, export_bundle(hub, issuer, {}).data)
    assert taken.hub_request == spoke.directory / seal.HUB_REQUEST
    assert b"BEGIN CERTIFICATE REQUEST" in taken.hub_request.read_bytes()


def test_there_must_be_something_to_answer_and_to_say(hub: Hub, spoke: Spoke) -> None:
    assert hub
    with pytest.raises(Unusable, match="there is nothing to send"):
        make_answer(spoke)
    with pytest.raises(Conflict, match="an answer is signed with it"):
        make_answer(spoke, endpoint="https://bank.example.com")
    (spoke.directory / "bundle.toml").write_text("id = 'x'\nmade_at = 'yesterday'\n")
    with pytest.raises(Unusable, match="is damaged"):
        last_taken(spoke)
    (spoke.directory / "bundle.toml").unlink()
    with pytest.raises(Unusable, match="has taken in no bundle"):
        make_answer(spoke)


def test_an_answer_names_what_it_answers(hub: Hub, issuer: str, tmp_path: Path) -> None:
    made = export_bundle(hub, issuer, {})
    spoke = spoke_from_bundle(tmp_path / "s", made.data, None)
    make_request(spoke, KeyType.ECDSA, SUBJECT)
    asked = open_bundle(made.data, Kind.HUB, "x").about
    answer = make_answer(spoke)
    assert (opened(answer).about.id, opened(answer).fingerprint) == (asked.id, answer.fingerprint)
    assert answer.fingerprint != sha256(answer.data)
