"""Invitation, password with code, passkey: who proves themselves gets a new session, and nobody else does."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.authenticator import Authenticator
from tests.web.conftest import applied
from tests.web.pages.conftest import PASSWORD, Visitor, account

from bothways.operations.accounts import current_code, invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.registry.person import Person
from bothways.web.portal import portal_app

WRONG = "wrong"
COOKIE = "__Host-bothways-ppr"


@pytest.fixture
def ann(hub: Hub) -> Person:
    return add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)


@pytest.fixture
def later(hub: Hub) -> Hub:
    """The hub a minute after Ann made her account: the next code is due."""
    moment = hub.now() + timedelta(seconds=60)
    return replace(hub, now=lambda: moment)


def test_from_the_invitation_to_the_first_page(hub: Hub, ann: Person) -> None:
    visitor = Visitor(hub)
    _, token, _ = invite_person(hub, ann.id)
    page = visitor.get(f"/invitation/{token}")
    secret = re.findall(r'id="secret">([A-Z2-7 ]+)<', page.text)[0].replace(" ", "")
    form = {"invitation": token, "password": PASSWORD, "code": current_code(secret, hub.now())}
    differing = visitor.post("/invitation", again="another one entirely", **form)
    assert (differing.status_code, "passwords differ" in differing.text) == (422, True)
    answer = visitor.post("/invitation", again=PASSWORD, **form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert visitor.get("/").headers["location"] == "/reviews"
    assert Visitor(hub).get(f"/invitation/{token}").status_code == 403


def test_password_and_code_sign_in_and_lead_on(later: Hub, hub: Hub, ann: Person) -> None:
    secret = account(hub, ann)
    visitor = Visitor(later)
    form = {"email": ann.email, "password": PASSWORD, "code": current_code(secret, later.now())}
    answer = visitor.post("/sign-in", next="/customers?attention=waiting", **form)
    assert answer.headers["location"] == "/customers?attention=waiting"
    assert visitor.get("/customers").status_code == 200


def test_nobody_is_led_elsewhere_after_the_sign_in(later: Hub, hub: Hub, ann: Person) -> None:
    secret = account(hub, ann)
    form = {"email": ann.email, "password": PASSWORD, "code": current_code(secret, later.now())}
    assert Visitor(later).post("/sign-in", next="//evil.example", **form).headers["location"] == "/"
    assert 'value="/"' in Visitor(later).get("/sign-in?next=https://evil.example").text


def test_a_session_that_was_planted_is_not_the_one_that_is_begun(later: Hub, hub: Hub, ann: Person) -> None:
    secret = account(hub, ann)
    visitor = Visitor(later)
    visitor.cookies[COOKIE] = "planted"
    visitor.post("/sign-in", email=ann.email, password=PASSWORD, code=current_code(secret, later.now()))
    attacker = Visitor(later)
    attacker.cookies[COOKIE] = "planted"
    assert visitor.cookies[COOKIE] != "planted"
    assert attacker.get("/account").status_code == 303


def test_many_wrong_passwords_have_to_wait_whoever_they_are_for(hub: Hub) -> None:
    visitor = Visitor(hub)
    tried = [visitor.post("/sign-in", email=f"{n}@x.example", password=WRONG, code="1").status_code for n in range(11)]
    assert tried == [401] * 10 + [429]


def test_a_sign_in_from_another_site_is_none(hub: Hub) -> None:
    visitor = Visitor(hub)
    visitor.origin = "https://evil.example"
    assert visitor.post("/sign-in", email="a@b.example", password=WRONG, code="1").status_code == 403


def test_a_passkey_is_added_and_signs_in_once_for_each_challenge(hub: Hub, ann: Person) -> None:
    account(hub, ann)
    app = portal_app(hub, applied)
    visitor, made = signed_in(hub, ann, app), authenticator(hub)
    offer = visitor.post("/account/passkey/options").json()
    answer = visitor.post("/account/passkey", credential=made.created(offer))
    assert answer.headers["location"] == "/account?done=passkey"
    stranger = Visitor(hub, app)
    credential = made.answered(stranger.post("/sign-in/passkey/options").json())
    assert (
        stranger.post("/sign-in/passkey", credential=credential, next="/customers").headers["location"] == "/customers"
    )
    assert stranger.get("/account").status_code == 200
    assert Visitor(hub, app).post("/sign-in/passkey", credential=credential).status_code == 401
    # What was asked for a new passkey signs nobody in.
    credential = made.answered(visitor.post("/account/passkey/options", csrf=visitor.token).json())
    assert Visitor(hub, app).post("/sign-in/passkey", credential=credential).status_code == 401


def test_a_passkey_that_one_control_plane_asked_for_is_answered_at_another(shared_hub: Hub) -> None:
    here, there = (portal_app(shared_hub, applied) for _ in range(2))
    ann = add_person(shared_hub, "ann@hub.example", "Ann", Role.OPERATOR)
    visitor, made = signed_in(shared_hub, ann, here), authenticator(shared_hub)
    offer = visitor.post("/account/passkey/options").json()
    visitor.app = there
    answer = visitor.post("/account/passkey", credential=made.created(offer))
    assert answer.headers["location"] == "/account?done=passkey"
    stranger = Visitor(shared_hub, here)
    credential = made.answered(stranger.post("/sign-in/passkey/options").json())
    stranger.app = there
    assert stranger.post("/sign-in/passkey", credential=credential, next="/customers").status_code == 303
    for app in (here, there):
        assert Visitor(shared_hub, app).post("/sign-in/passkey", credential=credential).status_code == 401


def authenticator(hub: Hub) -> Authenticator:
    return Authenticator(hub.terms.portal, urlsplit(hub.terms.portal).hostname or "")


def signed_in(hub: Hub, person: Person, app: Any) -> Visitor:
    """Return the browser of a person who has followed an invitation."""
    visitor, (_, token, _) = Visitor(hub, app), invite_person(hub, person.id)
    page = visitor.get(f"/invitation/{token}").text
    secret = re.findall(r'id="secret">([A-Z2-7 ]+)<', page)[0].replace(" ", "")
    code = current_code(secret, hub.now())
    visitor.post("/invitation", invitation=token, password=PASSWORD, again=PASSWORD, code=code)
    visitor.get("/account")
    return visitor


def test_sessions_are_listed_and_ended(hub: Hub, bank: Visitor) -> None:
    from bothways.operations.people import active_person  # noqa: PLC0415 - only here
    from bothways.operations.sessions import begin_session  # noqa: PLC0415

    person = active_person(hub, "customer-administrator@12345678.example")
    assert person is not None
    begin_session(hub, person, "198.51.100.7", "Another Browser", "test")
    page = bank.get("/account")
    assert "Another Browser" in page.text
    [number] = re.findall(r"/account/sessions/(\d+)/end", page.text)
    assert bank.post(f"/account/sessions/{number}/end").headers["location"] == "/account?done=ended"
    assert "Another Browser" not in bank.get("/account").text
    assert bank.post(f"/account/sessions/{number}/end").status_code == 404


def test_without_local_accounts_there_is_no_password_to_try(hub: Hub) -> None:
    closed = replace(hub, settings=replace(hub.settings, local_accounts=False))
    visitor = Visitor(closed)
    assert 'name="password"' not in visitor.get("/sign-in").text
    assert visitor.post("/sign-in", email="a@b.example", password=WRONG, code="1").status_code == 405
