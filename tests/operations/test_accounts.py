"""An invitation makes an account once; who signs in knows the password and has the app; five errors lock."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from bothways.errors import Conflict, NotAuthorized, Refused
from bothways.operations import accounts
from bothways.operations.accounts import (
    INVITATION,
    LOCKED,
    accept_invitation,
    current_code,
    invite_person,
    invited_person,
    prove_person,
    signing_in,
    totp_address,
)
from bothways.operations.audit import export_audit
from bothways.operations.hub import Hub
from bothways.operations.people import add_person, disable_person
from bothways.operations.sessions import begin_session, visit_of
from bothways.registry.access import Role
from bothways.registry.person import Person
from bothways.signer import sealed
from bothways.store import accounts as store

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who are made here
EMAIL = "ann@hub.example"


@pytest.fixture
def ann(hub: Hub) -> Person:
    return add_person(hub, EMAIL, "Ann", Role.OPERATOR)


@pytest.fixture
def secret(hub: Hub, ann: Person) -> str:
    """The secret of Ann's codes, in her new account."""
    return accepted(hub, ann)


def accepted(hub: Hub, person: Person) -> str:
    _, token, _ = invite_person(hub, person.id)
    _, secret = invited_person(hub, token)
    accept_invitation(hub, token, PASSWORD, current_code(secret, hub.now()))
    return secret


def later(hub: Hub, seconds: float) -> Hub:
    moment = hub.now() + timedelta(seconds=seconds)
    return replace(hub, now=lambda: moment)


def test_an_invitation_works_once(hub: Hub, ann: Person) -> None:
    person, token, _ = invite_person(hub, ann.id)
    assert len(base64.urlsafe_b64decode(f"{token}=")) * 8 == 256
    invited, secret = invited_person(hub, token)
    assert (person, invited) == (ann, ann)
    assert "ann%40hub.example" in totp_address(hub, ann, secret)
    code = current_code(secret, hub.now())
    accept_invitation(hub, token, PASSWORD, code)
    assert signing_in(hub, [ann.id]) == {ann.id}
    with pytest.raises(NotAuthorized, match="has ended or was used"):
        accept_invitation(hub, token, PASSWORD, code)


def test_neither_an_invitation_nor_an_account_holds_the_secret_of_the_codes_in_the_open(hub: Hub, ann: Person) -> None:
    _, token, _ = invite_person(hub, ann.id)
    _, secret = invited_person(hub, token)
    with hub.read() as connection:
        kept = store.invited(connection, accounts.digest(token))
    accept_invitation(hub, token, PASSWORD, current_code(secret, hub.now()))
    with hub.read() as connection:
        account = store.find(connection, ann.id)
    for each in (kept, account):
        assert each is not None
        assert secret.encode() not in each.totp
        assert hub.keys.unseal(each.totp, accounts.place_of(ann.id)).decode() == secret


def test_an_invitation_ends(hub: Hub, ann: Person) -> None:
    _, token, _ = invite_person(hub, ann.id)
    with pytest.raises(NotAuthorized, match="has ended"):
        invited_person(later(hub, INVITATION.total_seconds()), token)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaaaaaa", "ann is my own name 1", "x" * 201])
def test_a_weak_password_and_a_wrong_code_are_told_together_and_use_nothing_up(
    hub: Hub, ann: Person, password: str
) -> None:
    _, token, _ = invite_person(hub, ann.id)
    with pytest.raises(Refused) as refused:
        accept_invitation(hub, token, password, "000000")
    assert {each.id for each in refused.value.findings} == {"ACCOUNT-PASSWORD", "ACCOUNT-CODE"}
    assert invited_person(hub, token)[0] == ann


def test_password_and_code_prove_who_one_is_and_a_code_works_once(hub: Hub, ann: Person, secret: str) -> None:
    soon = later(hub, 60)
    code = current_code(secret, soon.now())
    assert prove_person(soon, "ANN@hub.example", PASSWORD, f" {code[:3]} {code[3:]} ") == ann
    with pytest.raises(NotAuthorized):
        prove_person(soon, EMAIL, PASSWORD, code)


def test_whatever_is_wrong_is_told_in_the_same_words(hub: Hub, secret: str) -> None:
    soon = later(hub, 60)
    code = current_code(secret, soon.now())
    tries = [(EMAIL, "wrong", code), (EMAIL, PASSWORD, "000000"), ("nobody@hub.example", PASSWORD, code)]
    said = set()
    for each in tries:
        with pytest.raises(NotAuthorized) as refused:
            prove_person(soon, *each)
        said.add(str(refused.value))
    assert len(said) == 1


def test_five_errors_lock_the_account_for_a_while_even_for_who_is_right(hub: Hub, ann: Person, secret: str) -> None:
    soon = later(hub, 60)
    for _ in range(5):
        with pytest.raises(NotAuthorized):
            prove_person(soon, EMAIL, "wrong", "000000")
    # In the words of every other refusal: who guesses does not learn of it.
    with pytest.raises(NotAuthorized, match="is wrong, or there were too many"):
        prove_person(soon, EMAIL, PASSWORD, current_code(secret, soon.now()))
    assert "person.lock" in [line["action"] for line in export_audit(hub)]
    free = later(soon, LOCKED.total_seconds() + 1)
    assert prove_person(free, EMAIL, PASSWORD, current_code(secret, free.now())) == ann


def test_who_is_invited_again_signs_in_with_nothing_of_before(hub: Hub, ann: Person, secret: str) -> None:
    cookie = begin_session(hub, ann, "192.0.2.1", "browser", "test")
    invite_person(hub, ann.id)
    assert visit_of(hub, cookie) is None
    soon = later(hub, 60)
    with pytest.raises(NotAuthorized):
        prove_person(soon, EMAIL, PASSWORD, current_code(secret, soon.now()))


def test_who_was_disabled_is_neither_invited_nor_let_in(hub: Hub, ann: Person, secret: str) -> None:
    disable_person(hub, ann.id, "tested")
    soon = later(hub, 60)
    with pytest.raises(NotAuthorized):
        prove_person(soon, EMAIL, PASSWORD, current_code(secret, soon.now()))
    with pytest.raises(Conflict, match="is disabled"):
        invite_person(hub, ann.id)


@pytest.mark.usefixtures("full_work")
def test_a_password_of_nobody_takes_the_same_work_as_one_of_somebody(
    hub: Hub, ann: Person, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = extract_parameters(PasswordHasher().hash("a password"))
    assert extract_parameters(accounts._NOBODY) == made
    with hub.read() as connection:
        kept = store.find(connection, ann.id)
    assert kept is not None
    assert extract_parameters(kept.password) == made
    # The low-memory profile of RFC 9106, section 4: 64 MiB.
    assert (made.time_cost, made.memory_cost, made.parallelism) == (3, 1 << 16, 4)
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(accounts._NOBODY, "a password")
    done: list[str] = []
    verified, derived = accounts._verified, sealed._derived

    def counted(what: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def does(*given: Any) -> Any:
            done.append(what)
            return work(*given)

        return does

    monkeypatch.setattr(accounts, "_verified", counted("argon2", verified))
    monkeypatch.setattr(sealed, "_derived", counted("scrypt", derived))
    assert secret
    for email, locked in ((EMAIL, False), ("nobody@hub.example", False), (EMAIL, True)):
        with hub.write() as transaction:
            store.tried(transaction, ann.id, 0, hub.now() + LOCKED if locked else None)
        done.clear()
        with pytest.raises(NotAuthorized):
            prove_person(hub, email, "wrong", "000000")
        assert done == ["argon2", "scrypt"]
