"""A passkey that verified its owner for this portal signs in; of another site, or without a look, it does not."""

from urllib.parse import urlsplit

import pytest
from tests.authenticator import Authenticator

from bothways.errors import Conflict, NotAuthorized
from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.passkeys import (
    PASSKEYS_MOST,
    add_passkey,
    list_passkeys,
    passkey_offer,
    prove_passkey,
    sign_in_offer,
)
from bothways.operations.people import add_person, disable_person
from bothways.registry.access import Role
from bothways.registry.person import Person


@pytest.fixture
def ann(hub: Hub) -> Person:
    return add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)


def authenticator(hub: Hub, **changes: str) -> Authenticator:
    host = urlsplit(hub.terms.portal).hostname or ""
    return Authenticator(changes.get("origin", hub.terms.portal), changes.get("host", host))


def added(hub: Hub, person: Person) -> Authenticator:
    made, offer = authenticator(hub), passkey_offer(hub, person)
    add_passkey(hub, person, offer["challenge"], made.created(offer))
    return made


def test_a_passkey_signs_its_owner_in(hub: Hub, ann: Person) -> None:
    made = added(hub, ann)
    for uses in (1, 2):
        offer = sign_in_offer(hub)
        assert prove_passkey(hub, offer["challenge"], made.answered(offer)) == ann
        assert list_passkeys(hub, ann)[0].uses == uses


def test_another_challenge_origin_or_copy_is_refused(hub: Hub, ann: Person) -> None:
    made = added(hub, ann)
    offer = sign_in_offer(hub)
    with pytest.raises(NotAuthorized):
        prove_passkey(hub, sign_in_offer(hub)["challenge"], made.answered(offer))
    made.origin = "https://portal.evil.example"
    with pytest.raises(NotAuthorized):
        prove_passkey(hub, offer["challenge"], made.answered(offer))
    made.origin = hub.terms.portal
    prove_passkey(hub, offer["challenge"], made.answered(offer))
    # A clone counts from where it was made.
    made.uses = 0
    with pytest.raises(NotAuthorized):
        prove_passkey(hub, offer["challenge"], made.answered(offer))


@pytest.mark.parametrize("credential", ["", "{}", "null", '{"id": "x"}', "[" * 50_000])
def test_what_is_no_passkey_is_refused(hub: Hub, ann: Person, credential: str) -> None:
    with pytest.raises(NotAuthorized):
        prove_passkey(hub, "", credential)
    with pytest.raises(NotAuthorized):
        add_passkey(hub, ann, "", credential)


def test_a_passkey_that_looked_at_nobody_is_not_taken(hub: Hub, ann: Person) -> None:
    offer = passkey_offer(hub, ann)
    careless = Authenticator(hub.terms.portal, urlsplit(hub.terms.portal).hostname or "", verifies=False)
    with pytest.raises(NotAuthorized):
        add_passkey(hub, ann, offer["challenge"], careless.created(offer))


def test_who_is_disabled_or_invited_again_signs_in_with_none_of_before(hub: Hub, ann: Person) -> None:
    made, offer = added(hub, ann), sign_in_offer(hub)
    bob = add_person(hub, "bob@hub.example", "Bob", Role.OPERATOR)
    his = added(hub, bob)
    invite_person(hub, ann.id)
    disable_person(hub, bob.id, "tested")
    for each in (made, his):
        with pytest.raises(NotAuthorized):
            prove_passkey(hub, offer["challenge"], each.answered(offer))


def test_there_are_ten_at_most(hub: Hub, ann: Person) -> None:
    for _ in range(PASSKEYS_MOST):
        added(hub, ann)
    with pytest.raises(Conflict, match="which is the most"):
        passkey_offer(hub, ann)
