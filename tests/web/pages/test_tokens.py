"""A token is made on a page, shown once, opens no more than its maker may, and is revoked by who may."""

import re

from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.hub import Hub
from bothways.operations.tokens import authenticate, create_token, list_tokens
from bothways.registry.access import Action, Role


def test_a_token_is_shown_once_and_is_its_makers(hub: Hub, operator: Visitor) -> None:
    page = operator.post("/tokens", name="ci", role="auditor", days="30", scope="hub-read")
    [secret] = re.findall(r"bothways_ppr_[A-Za-z0-9_-]{43}", page.text)
    asks = authenticate(hub, secret)
    assert (asks.role, asks.actions, asks.person) == (
        Role.AUDITOR,
        frozenset({Action.HUB_READ}),
        "operator@hub.example",
    )
    again = operator.get("/tokens").text
    assert secret not in again
    assert "hub-read" in again
    assert operator.post("/tokens/1/revoke", reason="tested").headers["location"] == "/tokens?done=revoked"
    assert "revoked" in operator.get("/tokens").text


def test_what_is_wrong_is_told(operator: Visitor) -> None:
    page = operator.post("/tokens", name="CI!", role="operator", days="9999")
    assert page.status_code == 422
    assert {"TOKEN-01", "TOKEN-04"} <= set(re.findall(r"TOKEN-\d\d", page.text))
    beyond = operator.post("/tokens", name="ci", role="auditor", days="1", scope="customer-write")
    assert "beyond the role auditor" in operator.said(beyond)


def test_an_administrators_tokens_are_of_the_own_customer_alone(
    hub: Hub, bank: Visitor, issuer: str, other: str
) -> None:
    bank.post("/tokens", name="ours", role="operator", tsp_id=other, days="30")
    [ours] = list_tokens(hub)
    assert (ours.role, ours.tsp_id) == (Role.CUSTOMER_MEMBER, issuer)
    theirs, _ = create_token(hub, "theirs", Role.CUSTOMER_MEMBER, other)
    assert "theirs" not in bank.get("/tokens").text
    assert bank.post(f"/tokens/{theirs.id}/revoke").status_code == 404


def test_who_makes_none_sees_none(visit: Visit, issuer: str) -> None:
    for visitor in (visit(Role.AUDITOR), visit(Role.CUSTOMER_MEMBER, issuer)):
        assert visitor.get("/tokens").status_code == 403
        assert visitor.post("/tokens", name="x", role="auditor", days="1").status_code == 403
        assert 'href="/tokens"' not in visitor.get("/account").text


def test_older_ones_are_on_the_next_page(hub: Hub, operator: Visitor) -> None:
    for number in range(51):
        create_token(hub, f"t-{number}", Role.AUDITOR)
    [older] = re.findall(r'href="(\?before=\d+)"', operator.get("/tokens").text)
    assert len(re.findall(r">t-\d+<", operator.get(f"/tokens{older}").text)) == 1
