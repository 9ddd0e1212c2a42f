"""The first page is for everybody, and leads who has signed in to where they begin; no page is part of the API."""

from tests.web.pages.conftest import Visitor

from bothways.operations.hub import Hub

PAGES = ("reviews", "customers", "audit", "people", "account", "customers/12345678/home", "reviews/requests/1")


def test_the_first_page_is_for_everybody_and_leads_who_has_signed_in(hub: Hub, operator: Visitor) -> None:
    assert "Sign in" in Visitor(hub).get("/").text
    assert operator.get("/").headers["location"] == "/reviews"


def test_every_other_page_asks_who_looks(hub: Hub) -> None:
    for page in PAGES:
        answer = Visitor(hub).get(f"/{page}")
        assert (answer.status_code, answer.headers["location"][:14]) == (303, "/sign-in?next=")


def test_no_page_is_part_of_the_api(hub: Hub) -> None:
    assert not [path for path in Visitor(hub).get("/openapi.json").json()["paths"] if path.startswith("/customers")]
