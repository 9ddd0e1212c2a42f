"""A browser gets a page, a program its problem, and nobody the inside."""

import html
import re

import pytest
from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.contacts import add_contact
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.registry.contact import ContactKind
from bothways.web.portal import portal_app


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(hub: Hub) -> None:
    answer = Visitor(hub).get("/customers?attention=waiting")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fcustomers%3Fattention%3Dwaiting"


@pytest.mark.parametrize("path", ["/nowhere", "/customers/12345678/nowhere", "/static/x/y"])
def test_what_is_not_there_is_told_on_a_page(hub: Hub, path: str) -> None:
    answer = Visitor(hub).get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "content-security-policy" in answer.headers


def test_who_has_signed_in_stays_so_on_the_page_of_an_error(visit: Visit, issuer: str) -> None:
    auditor, member = visit(Role.AUDITOR), visit(Role.CUSTOMER_MEMBER, issuer)
    for visitor, path, status in ((auditor, "/tokens", 403), (member, "/customers/99999999/home", 404)):
        answer = visitor.get(path)
        assert answer.status_code == status
        assert 'aria-label="Pages"' in answer.text
        assert 'action="/sign-out"' in answer.text


def test_programs_get_problems_whatever_they_accept(hub: Hub) -> None:
    answer = Visitor(hub).get("/api/v1/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_an_error_shows_no_inside(hub: Hub) -> None:
    app = portal_app(hub, applied)

    @app.get("/broken")
    def _broken() -> None:
        raise RuntimeError("the secret inside")

    answer = Visitor(hub, app).get("/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "the hub&#39;s log" in answer.text.lower().replace("&apos;", "&#39;")


@pytest.mark.parametrize(
    ("form", "page"),
    [
        ("/customers/12345678/trust/chain", "/customers/12345678/trust"),
        ("/customers/12345678/certificates/ab/revoke", "/customers/12345678/certificates"),
        ("/reviews/requests/1/approve", "/reviews/requests/1"),
        ("/people/1/disable", "/people"),
        ("/sign-out", "/"),
    ],
)
def test_who_loads_the_address_of_a_form_gets_its_page(hub: Hub, form: str, page: str) -> None:
    answer = Visitor(hub).get(form)
    assert (answer.status_code, answer.headers["location"]) == (303, page)


@pytest.mark.parametrize("reason", ["", " \t\r\n ", None])
def test_a_reason_left_blank_is_asked_for_again_with_all_else_kept(
    hub: Hub, operator: Visitor, issuer: str, reason: str | None
) -> None:
    sent = {"note": 'kept <b> & "all"'} | ({} if reason is None else {"reason": reason})
    again = operator.post(f"/customers/{issuer}/suspend", **sent)
    said = operator.said(again)
    assert (again.status_code, "Nothing was done yet, for the reason was left blank." in said) == (422, True)
    assert not show_customer(hub, issuer).customer.suspended
    form = again.text[again.text.index(f'<form method="post" action="/customers/{issuer}/suspend">') :]
    form = form[: form.index("</form>")]
    fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)}
    assert fields.keys() == {"csrf", "note"}
    assert fields["note"] == sent["note"]
    assert 'name="reason" required' in form
    done = operator.post(f"/customers/{issuer}/suspend", **fields, reason="they asked for it")
    assert (done.status_code, show_customer(hub, issuer).customer.suspended) == (303, True)


def test_each_form_asks_for_its_reason_again(hub: Hub, operator: Visitor, issuer: str) -> None:
    token = create_token(hub, "ci", Role.CUSTOMER_MEMBER, issuer)[0].id
    person = add_person(hub, "c@bank.example", "C", Role.CUSTOMER_MEMBER, issuer).id
    contact = add_contact(hub, issuer, ContactKind.EMAIL, "a@b.example").id
    for path in (
        f"/tokens/{token}/revoke",
        f"/people/{person}/disable",
        f"/people/{person}/refuse",
        f"/customers/{issuer}/contacts/{contact}/remove",
        f"/customers/{issuer}/own-ca/remove",
        f"/customers/{issuer}/services/tokens",
        "/nodes/n1/withdraw",
        "/reviews/requests/1/refuse",
    ):
        answer = operator.post(path, reason=" ")
        assert (answer.status_code, f'action="{path}"' in answer.text) == (422, True), path
