"""The way to an OpenID provider and back: in the same browser, once."""

import ssl
from dataclasses import replace
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.oidc_server import Provider
from tests.web.conftest import applied
from tests.web.pages.conftest import Visitor

from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.web.portal import portal_app

Site = tuple[Hub, Provider]


@pytest.fixture
def visitor(oidc: Site) -> Visitor:
    hub, _ = oidc
    add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)
    return Visitor(hub)


def back(visitor: Visitor, path: str = "/sign-in/oidc?next=/customers") -> str:
    """Go to the provider; return the path that it sends the browser back to."""
    trust = ssl.create_default_context(cafile=visitor.hub.settings.oidc_ca_file)
    with httpx2.Client(verify=trust) as client:
        address = client.get(visitor.get(path).headers["location"]).headers["location"]
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def test_who_the_provider_names_signs_in_and_goes_on(visitor: Visitor) -> None:
    assert "/sign-in/oidc?" in visitor.get("/sign-in").text
    answer = visitor.get(back(visitor))
    assert (answer.status_code, answer.headers["location"]) == (303, "/customers")
    assert visitor.get("/customers").status_code == 200


def test_the_way_back_works_once(visitor: Visitor) -> None:
    path = back(visitor)
    visitor.get(path)
    again = Visitor(visitor.hub, visitor.app)
    again.cookies = dict(visitor.cookies)
    assert again.get(path).status_code == 401


def test_the_way_back_may_lead_to_another_control_plane(oidc: Site, shared_hub: Hub) -> None:
    secret = str(oidc[0].directory / "oidc-secret")
    visitor = Visitor(replace(shared_hub, settings=replace(oidc[0].settings, oidc_secret_file=secret)))
    add_person(shared_hub, "ann@hub.example", "Ann", Role.OPERATOR)
    path = back(visitor)
    visitor.app = portal_app(visitor.hub, applied)
    assert visitor.get(path).headers["location"] == "/customers"
    assert visitor.get("/customers").status_code == 200


def test_in_another_browser_it_signs_nobody_in(visitor: Visitor) -> None:
    path = back(visitor)
    victim = Visitor(visitor.hub, visitor.app)
    assert victim.get(path).status_code == 401
    assert victim.get("/account").status_code == 303


def test_a_state_that_nobody_asked_for_is_refused(visitor: Visitor) -> None:
    visitor.cookies["__Host-bothways-ppr-oidc"] = "made-up"
    assert visitor.get("/sign-in/oidc/callback?state=made-up&code=x").status_code == 401
    assert visitor.get("/sign-in/oidc/callback").status_code == 401


def test_what_the_provider_refuses_is_told(visitor: Visitor) -> None:
    path = back(visitor)
    refused = path.replace("code=", "error=access_denied&ignored=")
    answer = visitor.get(refused)
    assert (answer.status_code, "did not sign you in" in answer.text) == (401, True)


def test_a_provider_leads_nobody_elsewhere(visitor: Visitor) -> None:
    assert visitor.get(back(visitor, "/sign-in/oidc?next=//evil.example")).headers["location"] == "/"


def test_without_a_provider_there_is_no_such_way(hub: Hub) -> None:
    assert Visitor(hub, portal_app(hub, applied)).get("/sign-in/oidc").status_code == 404
