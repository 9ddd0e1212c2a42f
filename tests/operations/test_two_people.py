"""In production no one approves alone, whatever names they go by; what the first proposed, the second confirms."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import local_settings

from bothways.contract.document import Environment
from bothways.errors import NotAuthorized, Proposed
from bothways.operations.audit import export_audit
from bothways.operations.chains import endorse_chain, show_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import (
    approve_endpoint,
    set_endpoint,
    show_endpoint,
    submit_endpoint,
    waiting_endpoints,
)
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.people import add_person, disable_person
from bothways.operations.requests import approve_all, approve_request, show_request, submit_request
from bothways.operations.settings import TwoPeople
from bothways.operations.tokens import create_token
from bothways.operations.two_people import AtHost, proposal_of, required
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.store.certificates import StoredCertificate
from bothways.store.proposals import Kind

ISSUER, BANK, ANN, BOB = "12345678", "admin@bank.example", "ann@hub.example", "bob@hub.example"
Csr = Callable[..., bytes]


@pytest.fixture
def prd(tmp_path: Path) -> Iterator[Hub]:
    """A hub of production with an issuer and its administrator, and Ann (on its machine: `ann`) and Bob of the hub."""
    settings = local_settings()
    terms = new_terms(Environment.PRD, "prd.hub.localhost", settings)
    initialise(tmp_path / "prd", terms, settings, "root")
    with open_hub(tmp_path / "prd", "root") as hub:
        add_customer(hub, ISSUER, CustomerKind.ISSUER, "First Bank")
        add_person(hub, ANN, "Ann", Role.OPERATOR, os_user="ann", at_host=AtHost())
        add_person(hub, BOB, "Bob", Role.REVIEWER, at_host=AtHost())
        add_person(hub, BANK, "Admin", Role.CUSTOMER_ADMINISTRATOR, ISSUER)
        yield hub


def by(hub: Hub, actor: str) -> Hub:
    return replace(hub, actor=actor)


@pytest.fixture
def submit(prd: Hub, make_csr: Csr) -> Callable[[str], int]:
    """Return a function that hands in a request of the issuer in somebody's name."""
    return lambda actor: submit_request(by(prd, actor), ISSUER, make_csr(CN="TLSMA-ECDSA/12345678/PRD")).id


def lines(hub: Hub, action: str) -> list[tuple[str, dict[str, Any]]]:
    return [(each["actor"], each["detail"]) for each in export_audit(hub) if each["action"] == action]


def test_production_wants_two_people_unless_that_is_set_otherwise(hub: Hub, prd: Hub) -> None:
    def wanted(of: Hub, setting: TwoPeople) -> bool:
        return required(replace(of, settings=replace(of.settings, two_people=setting)))

    assert (required(hub), required(prd)) == (False, True)
    assert [wanted(of, TwoPeople.ALWAYS) for of in (hub, prd)] == [True, True]
    assert [wanted(of, TwoPeople.DANGER_NEVER) for of in (hub, prd)] == [False, False]


def test_the_first_proposes_and_another_one_confirms(prd: Hub, submit: Callable[[str], int]) -> None:
    number = submit(BANK)
    with pytest.raises(Proposed, match=rf"proposed in the name of {ANN}.*Bob \({BOB}\) can confirm it"):
        approve_request(by(prd, ANN), number)
    assert show_request(prd, number)[0].state == "submitted"
    with pytest.raises(NotAuthorized, match=rf"{ANN}, the same person.*Bob"):
        approve_request(by(prd, ANN), number)
    assert approve_request(by(prd, BOB), number).der
    assert [actor for actor, _ in lines(prd, "request.propose")] == [ANN]
    [(actor, detail)] = lines(prd, "request.approve")
    assert (actor, detail["proposed_by"]) == (BOB, ANN)


def test_who_hands_it_in_is_the_first(prd: Hub, submit: Callable[[str], int]) -> None:
    number = submit(ANN)
    with pytest.raises(NotAuthorized, match="takes two different ones"):
        approve_request(by(prd, ANN), number)
    assert approve_request(by(prd, BOB), number).der


def test_nobody_is_two_by_a_token_or_as_a_user_of_the_machine(prd: Hub, submit: Callable[[str], int]) -> None:
    create_token(prd, "hers", Role.OPERATOR, person=ANN)
    create_token(by(prd, "ann"), "hers-too", Role.OPERATOR)
    names = (ANN, "token:hers", "ann", "token:hers-too")
    for first in names:
        number = submit(first)
        for second in names:
            with pytest.raises(NotAuthorized, match="same person"):
                approve_request(by(prd, second), number)
        proposal = proposal_of(prd, Kind.REQUEST, number)
        assert proposal is not None
        assert proposal.person == ANN


def test_who_is_on_record_later_or_no_more_is_the_same_person(prd: Hub, submit: Callable[[str], int]) -> None:
    early = submit("carl")
    carl = add_person(prd, "carl@hub.example", "Carl", Role.OPERATOR, os_user="carl", at_host=AtHost("tested"))
    with pytest.raises(NotAuthorized, match="same person"):
        approve_request(by(prd, carl.email), early)
    late = submit(carl.email)
    disable_person(prd, carl.id, "tested")
    with pytest.raises(NotAuthorized, match="same person"):
        approve_request(by(prd, "carl"), late)


@pytest.mark.parametrize("name", [BANK, "token:theirs", "token:unknown", f"est:{ISSUER}"])
def test_a_customers_person_is_neither_the_first_nor_the_second(
    prd: Hub, submit: Callable[[str], int], name: str
) -> None:
    create_token(prd, "theirs", Role.CUSTOMER_ADMINISTRATOR, ISSUER, person=BANK)
    number = submit(name)
    assert proposal_of(prd, Kind.REQUEST, number) is None
    with pytest.raises(Proposed):
        approve_request(by(prd, ANN), number)
    with pytest.raises(NotAuthorized, match="nobody of the hub"):
        approve_request(by(prd, name), number)
    assert show_request(prd, number)[0].state == "submitted"


def test_in_a_group_each_is_taken_for_itself(prd: Hub, submit: Callable[[str], int]) -> None:
    fresh, hers, his = submit(BANK), submit(ANN), submit(BOB)
    found = {each.number: each.outcome for each in approve_all(by(prd, ANN), (fresh, hers, his))}
    kinds = {number: type(each) for number, each in found.items()}
    assert kinds == {fresh: Proposed, hers: NotAuthorized, his: StoredCertificate}
    again = [each.outcome for each in approve_all(by(prd, BOB), (fresh, hers))]
    assert all(isinstance(each, StoredCertificate) and each.der for each in again)


def test_a_chain_is_endorsed_as_it_was_proposed(prd: Hub, make_ca: Callable[..., Any]) -> None:
    number = submit_chain(by(prd, BANK), ISSUER, certificate_pem(make_ca("Bank Root")[1]).encode()).id
    pin, other = "a" * 64, "b" * 64
    with pytest.raises(Proposed):
        endorse_chain(by(prd, ANN), number, pins=(pin,))
    assert show_chain(prd, number).spki_pins == ()
    with pytest.raises(Proposed):
        endorse_chain(by(prd, BOB), number, pins=(other,))
    assert show_chain(prd, number).state == "submitted"
    with pytest.raises(Proposed):
        endorse_chain(by(prd, ANN), number)
    endorsed = endorse_chain(by(prd, BOB), number)
    assert (endorsed.state, endorsed.spki_pins) == ("endorsed", ())
    [(_, detail)] = lines(prd, "chain.endorse")
    assert detail["proposed_by"] == ANN


def test_another_host_waits_for_the_second_and_another_path_does_not(prd: Hub) -> None:
    with pytest.raises(Proposed, match="endpoint 1 is proposed"):
        set_endpoint(by(prd, ANN), ISSUER, "https://one.bank.example")
    with pytest.raises(NotAuthorized):
        set_endpoint(by(prd, ANN), ISSUER, "https://one.bank.example")
    with pytest.raises(NotAuthorized):
        approve_endpoint(by(prd, ANN), 1)
    assert set_endpoint(by(prd, BOB), ISSUER, "https://one.bank.example").host == "one.bank.example"
    assert set_endpoint(by(prd, ANN), ISSUER, "https://one.bank.example/hook").path == "/hook"
    submit_endpoint(by(prd, BANK), ISSUER, "https://two.bank.example")
    with pytest.raises(Proposed, match="endpoint 3 is proposed"):
        set_endpoint(by(prd, ANN), ISSUER, "https://one.bank.example:8443")
    assert [each.id for each in waiting_endpoints(prd)] == [3]
    assert show_endpoint(prd, ISSUER).url == "https://one.bank.example/hook"
    approve_endpoint(by(prd, BOB), 3)
    assert show_endpoint(prd, ISSUER).port == 8443
    [(_, detail)] = lines(prd, "endpoint.approve")
    assert detail["proposed_by"] == ANN


def test_without_a_second_person_it_is_said_how_to_add_one(prd: Hub, submit: Callable[[str], int]) -> None:
    number = submit(BANK)
    for each in (2, 1):
        disable_person(prd, each, "tested")
    with pytest.raises(Proposed, match=r"Nobody else is on record who may.*bothways person add"):
        approve_request(prd, number)
