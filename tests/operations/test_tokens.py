"""A token opens what it is for until it ends; nothing that opens is ever stored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotAuthorized, NotFound, Refused
from bothways.operations.customers import remove_customer, suspend_customer
from bothways.operations.hub import Hub
from bothways.operations.people import add_person, disable_person
from bothways.operations.tokens import authenticate, create_token, list_tokens, page_tokens, revoke_token, show_token
from bothways.registry.access import Action, Principal, Role

MEMBER, OPERATOR = Role.CUSTOMER_MEMBER, Role.OPERATOR


def at(hub: Hub, moment: datetime) -> Hub:
    return replace(hub, now=lambda: moment)


def test_whoever_has_the_secret_is_who_the_token_is_for(hub: Hub, issuer: str, audited: Audit) -> None:
    record, secret = create_token(hub, "ci", MEMBER, issuer, {Action.CUSTOMER_READ})
    assert authenticate(hub, secret) == Principal(
        "token:ci", MEMBER, issuer, frozenset({Action.CUSTOMER_READ}), "tester"
    )
    assert secret.startswith("bothways_ppr_")
    assert (show_token(hub, record.id).used_at is not None, list_tokens(hub, issuer)[0].id) == (True, record.id)
    assert page_tokens(hub, issuer, 0, 9) == list_tokens(hub, issuer)
    assert ("token.add", str(record.id)) in audited()


def test_the_secret_is_stored_nowhere(hub: Hub) -> None:
    _, secret = create_token(hub, "ci", OPERATOR)
    authenticate(hub, secret)
    files = [path for path in hub.directory.rglob("*") if path.is_file()]
    assert files
    assert not any(secret.encode() in path.read_bytes() for path in files)


def wrong(_hub: Hub, secret: str) -> str:
    return secret[:-1] + ("A" if secret[-1] != "A" else "B")


def revoked(hub: Hub, secret: str) -> str:
    revoke_token(hub, list_tokens(hub)[0].id, "tested")
    return secret


def removed(hub: Hub, secret: str) -> str:
    remove_customer(hub, list_tokens(hub)[0].tsp_id or "", "tested")
    return secret


def disabled(hub: Hub, secret: str) -> str:
    maker = add_person(hub, "ann@hub.example", "Ann", OPERATOR, os_user="tester")
    disable_person(hub, maker.id, "tested")
    return secret


@pytest.mark.parametrize("spoil", [wrong, revoked, removed, disabled, lambda *_: "", lambda *_: "\udcff"])
def test_what_opens_nothing_is_refused_in_the_same_words(
    hub: Hub, issuer: str, spoil: Callable[[Hub, str], str]
) -> None:
    _, secret = create_token(hub, "ci", MEMBER, issuer)
    with pytest.raises(NotAuthorized, match=r"^the token is unknown, has ended or was revoked"):
        authenticate(hub, spoil(hub, secret))


def test_who_is_disabled_takes_their_tokens_along_for_good(hub: Hub) -> None:
    ann = add_person(hub, "ann@hub.example", "Ann", OPERATOR)
    _, hers = create_token(hub, "hers", OPERATOR, person="ann@hub.example")
    _, mine = create_token(hub, "mine", OPERATOR)
    disable_person(hub, ann.id, "tested")
    add_person(hub, "ann@hub.example", "Ann", Role.AUDITOR)
    _, again = create_token(hub, "again", Role.AUDITOR, person="ann@hub.example")
    with pytest.raises(NotAuthorized):
        authenticate(hub, hers)
    assert [authenticate(hub, each).name for each in (mine, again)] == ["token:mine", "token:again"]
    states = {each.name: each.document(hub.now())["state"] for each in list_tokens(hub)}
    assert states == {"hers": "person-disabled", "mine": "valid", "again": "valid"}


def test_a_token_ends_to_the_second(hub: Hub) -> None:
    record, secret = create_token(hub, "ci", OPERATOR, days=1)
    assert authenticate(at(hub, record.expires_at - timedelta(seconds=1)), secret).name == "token:ci"
    with pytest.raises(NotAuthorized):
        authenticate(at(hub, record.expires_at), secret)


def test_a_suspended_customer_still_reads_why(hub: Hub, issuer: str) -> None:
    _, secret = create_token(hub, "ci", MEMBER, issuer)
    suspend_customer(hub, issuer, "tested")
    assert authenticate(hub, secret).tsp_id == issuer


def test_use_is_written_once_an_hour(hub: Hub) -> None:
    record, secret = create_token(hub, "ci", OPERATOR)
    start = hub.now()
    for minutes, noted in ((0, 0), (59, 0), (61, 61)):
        authenticate(at(hub, start + timedelta(minutes=minutes)), secret)
        assert show_token(hub, record.id).used_at == start + timedelta(minutes=noted)


def test_all_that_is_wrong_is_told_at_once(hub: Hub) -> None:
    with pytest.raises(Refused) as refused:
        create_token(hub, "No Name", MEMBER, None, {Action.HUB_READ}, 398)
    assert [each.id for each in refused.value.findings] == ["TOKEN-01", "TOKEN-02", "TOKEN-03", "TOKEN-04"]
    with pytest.raises(Refused, match="goes with no customer"):
        create_token(hub, "ci", OPERATOR, "12345678")


def test_what_is_not_there_or_done_already_is_said(hub: Hub) -> None:
    with pytest.raises(NotFound):
        create_token(hub, "ci", MEMBER, "nobody")
    record, _ = create_token(hub, "ci", OPERATOR)
    with pytest.raises(Conflict, match="there is a token ci"):
        create_token(hub, "ci", OPERATOR)
    revoke_token(hub, record.id, "tested")
    with pytest.raises(Conflict, match="revoked already"):
        revoke_token(hub, record.id, "tested")
    with pytest.raises(NotFound):
        revoke_token(hub, 99, "tested")
