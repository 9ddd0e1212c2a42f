"""Who decides is named by two people, and neither of the two can come in as the new one alone."""

from dataclasses import replace

import pytest

from bothways.errors import Conflict, NotAuthorized, NotFound, Proposed
from bothways.operations.accounts import (
    accept_invitation,
    current_code,
    invite_person,
    invited_person,
    signing_in,
    wants_code,
)
from bothways.operations.audit import export_audit
from bothways.operations.hub import Hub
from bothways.operations.people import active_person, add_person, disable_person, show_person
from bothways.operations.second_person import confirm_person, own_proposals, refuse_person, waiting_people
from bothways.operations.sessions import begin_session, visit_of
from bothways.operations.settings import TwoPeople
from bothways.operations.tokens import authenticate, create_token
from bothways.operations.two_people import AtHost
from bothways.registry.access import Role
from bothways.registry.person import Person

ANN, BOB, ZOE = "ann@hub.example", "bob@hub.example", "zoe@hub.example"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who are made here


@pytest.fixture
def strict(hub: Hub) -> Hub:
    """A hub where it takes two people, with Ann (on its machine: `ann`) and Bob, in the name of nobody on record."""
    strict = replace(hub, settings=replace(hub.settings, two_people=TwoPeople.ALWAYS))
    add_person(strict, ANN, "Ann", Role.OPERATOR, os_user="ann", at_host=AtHost())
    add_person(strict, BOB, "Bob", Role.REVIEWER, at_host=AtHost())
    return strict


def by(hub: Hub, actor: str) -> Hub:
    return replace(hub, actor=actor)


def propose(hub: Hub, actor: str = ANN, role: Role = Role.OPERATOR) -> int:
    with pytest.raises(Proposed, match="takes effect when another person confirms it") as proposed:
        add_person(by(hub, actor), ZOE, "Zoe", role)
    return proposed.value.number


def lines(hub: Hub, action: str) -> list[tuple[str, str]]:
    return [
        (each["actor"], str(each["detail"].get("proposed_by") or each["detail"].get("alone") or ""))
        for each in export_audit(hub)
        if each["action"] == action
    ]


def accepted(hub: Hub, token: str) -> Person:
    _, secret = invited_person(hub, token)
    return accept_invitation(hub, token, PASSWORD, current_code(secret, hub.now()))


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER])
def test_who_is_to_decide_is_nobody_until_another_one_confirms(strict: Hub, role: Role) -> None:
    number = propose(strict, role=role)
    assert (show_person(strict, number).document()["state"], active_person(strict, ZOE)) == ("proposed", None)
    waiting = waiting_people(strict)
    assert [each.id for each in waiting] == [number]
    assert [own_proposals(by(strict, who), waiting) for who in (ANN, BOB)] == [frozenset({number}), frozenset()]
    person, code = confirm_person(by(strict, BOB), number)
    assert (person, code) == (active_person(strict, ZOE), None)
    assert waiting_people(strict) == ()
    assert lines(strict, "person.add")[-1] == (BOB, ANN)
    with pytest.raises(Conflict, match="waits for a second person"):
        confirm_person(by(strict, BOB), number)


def test_who_does_not_decide_takes_one_person(strict: Hub, issuer: str) -> None:
    auditor = add_person(by(strict, ANN), "auditor@hub.example", "A", Role.AUDITOR)
    member = add_person(by(strict, ANN), "member@bank.example", "M", Role.CUSTOMER_ADMINISTRATOR, issuer)
    for each in (auditor, member):
        _, token, _ = invite_person(by(strict, ANN), each.id)
        assert accepted(strict, token) == each


def test_nobody_confirms_what_they_proposed_and_nobody_who_does_not_decide_confirms(strict: Hub, issuer: str) -> None:
    number = propose(strict, "ann")
    create_token(strict, "hers", Role.OPERATOR, person=ANN)
    add_person(strict, "auditor@hub.example", "A", Role.AUDITOR)
    add_person(strict, "member@bank.example", "M", Role.CUSTOMER_ADMINISTRATOR, issuer)
    for actor in (ANN, "ann", "token:hers"):
        with pytest.raises(NotAuthorized, match=rf"the same person.*Bob \({BOB}\) can confirm it"):
            confirm_person(by(strict, actor), number)
    for actor in ("auditor@hub.example", "member@bank.example", "root", ZOE, "token:unknown"):
        with pytest.raises(NotAuthorized, match="nobody on record who decides"):
            confirm_person(by(strict, actor), number)
    assert active_person(strict, ZOE) is None


def test_neither_the_link_nor_the_code_opens_alone(strict: Hub) -> None:
    number = propose(strict)
    person, link, _ = invite_person(by(strict, ANN), number)
    assert (person.proposed_by, person.sign_in_proposed_by) == (ANN, ANN)
    with pytest.raises(NotAuthorized, match="opens when a second person"):
        invited_person(strict, link)
    assert not wants_code(strict, link)
    _, code = confirm_person(by(strict, BOB), number)
    assert code
    assert wants_code(strict, link)
    for wrong in (link, f"{link}.", f"{link}.{code[:-1]}", f"{link}.{link}"):
        with pytest.raises(NotAuthorized, match="code of the second person"):
            accepted(strict, wrong)
    for alone in (code, f".{code}", code.replace("-", "")):
        with pytest.raises(NotAuthorized, match="unknown"):
            invited_person(strict, alone)
    assert accepted(strict, f"{link}.{code.lower()}").email == ZOE
    with pytest.raises(NotAuthorized, match="was used"):
        invited_person(strict, f"{link}.{code}")
    assert lines(strict, "person.invite") == [(BOB, ANN)]


def test_a_new_invitation_of_who_decides_takes_nothing_away_until_it_is_confirmed(strict: Hub) -> None:
    bob = active_person(strict, BOB)
    assert bob is not None
    _, link, _ = invite_person(strict, bob.id, AtHost())
    accepted(strict, link)
    cookie = begin_session(strict, bob, "192.0.2.1", "browser", "test")
    _, link, _ = invite_person(by(strict, ANN), bob.id)
    assert visit_of(strict, cookie) is not None
    assert signing_in(strict, [bob.id]) == {bob.id}
    with pytest.raises(NotAuthorized, match="opens when a second person"):
        invited_person(strict, link)
    with pytest.raises(NotAuthorized, match="same person"):
        confirm_person(by(strict, ANN), bob.id)
    confirm_person(by(strict, BOB), bob.id)
    assert visit_of(strict, cookie) is None
    assert signing_in(strict, [bob.id]) == frozenset()


def test_at_the_machine_two_are_named_directly_and_more_alone_with_a_reason(strict: Hub) -> None:
    assert [actor for actor, _ in lines(strict, "person.add")] == [strict.actor] * 2
    assert {why for _, why in lines(strict, "person.add")} == {"there are not two yet who could"}
    with pytest.raises(Proposed, match="Ann"):
        add_person(strict, ZOE, "Zoe", Role.REVIEWER, at_host=AtHost())
    added = add_person(strict, "carl@hub.example", "Carl", Role.REVIEWER, at_host=AtHost("both are ill"))
    assert lines(strict, "person.add")[-1] == (strict.actor, "both are ill")
    for number in (1, 2):
        accepted(strict, invite_person(strict, number, AtHost())[1])
    with pytest.raises(NotAuthorized, match="opens when a second person"):
        accepted(strict, invite_person(strict, added.id, AtHost())[1])
    assert accepted(strict, invite_person(strict, added.id, AtHost("both are ill"))[1]) == added
    assert lines(strict, "person.invite")[-1] == (strict.actor, "both are ill")
    assert show_person(strict, added.id).sign_in_proposed_by is None


def test_what_waits_is_refused_with_a_reason_and_opens_nothing(strict: Hub) -> None:
    number = propose(strict)
    _, link, _ = invite_person(by(strict, ANN), number)
    assert refuse_person(by(strict, BOB), number, "unknown to me").disabled_at is not None
    _, other, _ = invite_person(by(strict, ANN), 2)
    assert refuse_person(by(strict, BOB), 2, "not lost").disabled_at is None
    for each in (link, other):
        with pytest.raises(NotAuthorized, match="unknown"):
            invited_person(strict, each)
    for number_ in (number, 2):
        with pytest.raises(Conflict, match="waits for a second person"):
            confirm_person(by(strict, BOB), number_)
        with pytest.raises(Conflict, match="waits for a second person"):
            refuse_person(by(strict, BOB), number_, "again")
    with pytest.raises(NotFound):
        confirm_person(by(strict, BOB), 99)
    assert [actor for actor, _ in lines(strict, "person.refuse")] == [BOB, BOB]


def test_who_is_disabled_while_they_wait_is_confirmed_no_more(strict: Hub) -> None:
    number = propose(strict)
    disable_person(by(strict, ANN), number, "a mistake")
    with pytest.raises(Conflict):
        confirm_person(by(strict, BOB), number)
    assert waiting_people(strict) == ()


def test_a_token_stands_for_who_made_it_and_takes_no_second_person(strict: Hub) -> None:
    _, secret = create_token(by(strict, ANN), "hers", Role.OPERATOR)
    number = propose(by(strict, authenticate(strict, secret).name), "token:hers")
    assert show_person(strict, number).proposed_by == ANN
