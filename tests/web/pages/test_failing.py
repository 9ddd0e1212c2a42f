"""A browser gets a page, a program its problem, and nobody the inside."""

import pytest
from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.hub import Hub
from bothways.registry.access import Role
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
