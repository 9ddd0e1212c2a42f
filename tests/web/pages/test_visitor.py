"""What a form sends counts if it comes from a page of ours, of this session; nobody is led elsewhere."""

import pytest
from tests.web.pages.conftest import Visitor

from bothways.operations.customers import show_customer
from bothways.operations.endpoints import waiting_endpoints
from bothways.operations.hub import Hub
from bothways.web.pages.visitor import FORM_MOST, own_path


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_a_form_of_another_site_does_nothing(hub: Hub, bank: Visitor, issuer: str, origin: str | None) -> None:
    bank.origin = origin
    answer = bank.post(f"/customers/{issuer}/endpoint", url="https://callbacks.bank.example")
    assert answer.status_code == 403
    assert waiting_endpoints(hub) == ()


@pytest.mark.parametrize("token", ["", "x", "ü"])
def test_a_form_without_the_token_of_the_session_does_nothing(hub: Hub, bank: Visitor, issuer: str, token: str) -> None:
    answer = bank.post(f"/customers/{issuer}/endpoint", url="https://callbacks.bank.example", csrf=token)
    assert answer.status_code == 403
    assert waiting_endpoints(hub) == ()


def test_the_token_of_another_session_does_nothing(operator: Visitor, bank: Visitor, issuer: str, hub: Hub) -> None:
    assert operator.post("/sign-out", csrf=bank.token).status_code == 403
    assert show_customer(hub, issuer)


def test_a_session_that_has_ended_asks_for_sign_in(bank: Visitor) -> None:
    assert bank.post("/sign-out").headers["location"] == "/sign-in?done=signed-out"
    assert bank.get("/account").headers["location"].startswith("/sign-in")


def test_a_stolen_cookie_is_no_use_after_the_sign_out(hub: Hub, bank: Visitor) -> None:
    thief = Visitor(hub)
    thief.cookies = dict(bank.cookies)
    assert thief.get("/account").status_code == 200
    bank.post("/sign-out")
    assert thief.get("/account").status_code == 303


def test_no_more_is_read_than_a_form_has(bank: Visitor, issuer: str) -> None:
    answer = bank.post(f"/customers/{issuer}/trust/chain", chain="x" * (FORM_MOST + 1))
    assert answer.status_code == 422
    assert "256 KiB" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "/\t/evil.example",
        "/@evil.example",
        "https:/evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "evil",
        "",
        "/" + "a" * 600,
        "/%0d%0a\n",
    ],
)
def test_nobody_is_led_elsewhere(path: str) -> None:
    assert own_path(path) == "/"


def test_a_path_of_ours_is_gone_to() -> None:
    for path in ("/customers?attention=waiting&after=1", "/customers/1/trust?done=submitted#content"):
        assert own_path(path) == path
