"""A review has side by side what is asked, what is registered and what the rules say."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.errors import Proposed
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer, remove_customer
from bothways.operations.endpoints import submit_endpoint
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.people import add_person
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.settings import TwoPeople
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.web.portal import portal_app


@pytest.fixture
def waiting(hub: Hub, issuer: str, make_csr: Callable[..., bytes], make_ca: Callable[..., Any]) -> str:
    """The issuer, with one thing of each kind under review."""
    submit_request(hub, issuer, make_csr())
    submit_chain(hub, issuer, certificate_pem(make_ca("Bank Root")[1]).encode())
    submit_endpoint(hub, issuer, "https://callbacks.bank.example")
    return issuer


def test_the_queue_shows_what_waits(operator: Visitor, waiting: str) -> None:
    page = operator.get("/reviews")
    for kind in ("requests", "chains", "endpoints"):
        assert f'href="/reviews/{kind}/1"' in page.text
    assert "all kept" in page.text
    assert waiting in page.text


def test_what_waits_beyond_a_page_is_on_the_next_one(
    hub: Hub, operator: Visitor, monkeypatch: pytest.MonkeyPatch, make_ca: Callable[..., Any]
) -> None:
    monkeypatch.setattr("bothways.web.pages.reviews._SHOWN", 1)
    for number in (1, 2):
        add_customer(hub, str(number), CustomerKind.ISSUER, f"Bank {number}")
        submit_chain(hub, str(number), certificate_pem(make_ca(f"Root {number}")[1]).encode())
        submit_endpoint(hub, str(number), f"https://{number}.bank.example")
    assert "2 waiting" in operator.get("/reviews").text
    for kind, link in (("chains", "?chains_after=1"), ("endpoints", "?servers_after=1")):
        page = operator.get("/reviews")
        assert (f'"/reviews/{kind}/1"' in page.text, f'"/reviews/{kind}/2"' in page.text) == (True, False)
        assert f'href="{link}"' in page.text
        page = operator.get(f"/reviews{link}")
        assert (f'"/reviews/{kind}/1"' in page.text, f'"/reviews/{kind}/2"' in page.text) == (False, True)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [("requests", "TLSMA-ECDSA/12345678/PPR"), ("chains", "CN=Bank Root"), ("endpoints", "callbacks.bank.example")],
)
def test_a_review_has_all_three(operator: Visitor, waiting: str, kind: str, asked: str) -> None:
    said = operator.said(operator.get(f"/reviews/{kind}/1"))
    for text in ("What is asked", asked, "What is registered", "First Bank", waiting, "What the rules say"):
        assert text in said


def test_what_a_rule_says_now_is_shown(
    hub: Hub, operator: Visitor, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    stored = submit_request(hub, issuer, make_csr())
    ban_keys(hub, [stored.request.spki_pin], "found in a repository")
    assert "CSR-KEY-10" in operator.get(f"/reviews/requests/{stored.id}").text
    assert "1 broken" in operator.get("/reviews").text


def test_what_a_removed_customer_left_does_no_harm(hub: Hub, operator: Visitor, waiting: str) -> None:
    remove_customer(hub, waiting, "tested")
    assert operator.get("/reviews").status_code == 200
    assert operator.get("/reviews/chains/1").status_code == 200
    assert operator.get("/reviews/requests/1").status_code == 404


def test_customers_see_no_reviews(visit: Visit, waiting: str) -> None:
    for role in (Role.CUSTOMER_ADMINISTRATOR, Role.CUSTOMER_MEMBER):
        visitor = visit(role, waiting)
        for path in ("/reviews", "/reviews/requests/1", "/customers", "/audit", "/approvals/x"):
            assert visitor.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/reviews/requests/99", "/reviews/other/1", "/reviews/chains/0"])
def test_what_is_not_there_is_not_found(operator: Visitor, path: str) -> None:
    assert operator.get(path).status_code in {404, 422}


@pytest.mark.usefixtures("waiting")
def test_where_it_takes_two_the_queue_shows_who_was_the_first(hub: Hub, visit: Visit) -> None:
    two = replace(hub, settings=replace(hub.settings, two_people=TwoPeople.ALWAYS))
    add_person(hub, "rita@hub.example", "Rita", Role.REVIEWER)
    operator = visit(Role.OPERATOR, app=portal_app(two, applied))
    for actor, decide in (("rita@hub.example", approve_request), ("operator@hub.example", endorse_chain)):
        with pytest.raises(Proposed):
            decide(replace(two, actor=actor), 1)
    page = operator.said(operator.get("/reviews"))
    assert page.count("proposed it") == 2
    assert "rita@hub.example proposed it" in page
    assert "you proposed it" in page
