"""Decisions take effect, are refused with their reasons, and are for those whose role decides."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.chains import show_chain, submit_chain
from bothways.operations.endpoints import show_endpoint, show_submitted_endpoint, submit_endpoint
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.requests import list_requests, show_request, submit_request
from bothways.operations.settings import TwoPeople
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.web.portal import portal_app

Csr = Callable[..., bytes]


def test_a_request_is_approved_by_who_did_it(hub: Hub, operator: Visitor, issuer: str, make_csr: Csr) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    answer = operator.post(f"/reviews/requests/{number}/approve")
    assert answer.headers["location"] == "/reviews?done=in-force"
    stored = show_request(hub, number)[0]
    assert (stored.state, stored.decided_by) == ("approved", "operator@hub.example")
    assert operator.post(f"/reviews/requests/{number}/approve").status_code == 409


def test_what_stands_against_it_is_shown_and_nothing_is_done(
    hub: Hub, operator: Visitor, issuer: str, make_csr: Csr
) -> None:
    stored = submit_request(hub, issuer, make_csr())
    ban_keys(hub, [stored.request.spki_pin], "found in a repository")
    answer = operator.post(f"/reviews/requests/{stored.id}/approve")
    assert (answer.status_code, "CSR-KEY-10" in answer.text) == (422, True)
    assert show_request(hub, stored.id)[0].state == "submitted"


def test_a_refusal_has_a_reason_that_the_customer_reads(
    hub: Hub, operator: Visitor, bank: Visitor, issuer: str, make_csr: Csr
) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    silent = operator.post(f"/reviews/requests/{number}/refuse", reason=" ")
    assert (silent.status_code, f'action="/reviews/requests/{number}/refuse"' in silent.text) == (422, True)
    assert show_request(hub, number)[0].state == "submitted"
    operator.post(f"/reviews/requests/{number}/refuse", reason="The unit is not ours.")
    assert "The unit is not ours." in bank.get(f"/customers/{issuer}/requests").text


def test_chains_and_servers_are_decided(hub: Hub, operator: Visitor, issuer: str, make_ca: Callable[..., Any]) -> None:
    chain = submit_chain(hub, issuer, certificate_pem(make_ca("Bank Root")[1]).encode())
    pin = "0" * 64
    assert operator.post(f"/reviews/chains/{chain.id}/approve", pins="no pin").status_code == 422
    assert operator.post(f"/reviews/chains/{chain.id}/approve", pins=f" {pin}\r\n").status_code == 303
    assert (show_chain(hub, chain.id).state, show_chain(hub, chain.id).spki_pins) == ("endorsed", (pin,))
    submit_endpoint(hub, issuer, "https://callbacks.bank.example")
    assert operator.post("/reviews/endpoints/1/approve").status_code == 303
    assert show_endpoint(hub, issuer).host == "callbacks.bank.example"
    submit_endpoint(hub, issuer, "https://other.bank.example")
    operator.post("/reviews/endpoints/2/refuse", reason="not yours")
    assert show_submitted_endpoint(hub, 2).state == "refused"


def test_many_are_approved_with_progress(hub: Hub, operator: Visitor, issuer: str, make_csr: Csr) -> None:
    stored = [submit_request(hub, issuer, make_csr()) for _ in range(3)]
    ban_keys(hub, [stored[0].request.spki_pin], "found in a repository")
    answer = operator.post("/approvals", which="chosen", number=[str(stored[0].id), str(stored[1].id)])
    page = operator.said(operator.get(answer.headers["location"]))
    assert "1 approved, 1 left alone." in page
    assert "2 of 2" in page
    operator.get(operator.post("/approvals", which="all").headers["location"])
    assert [each.state.value for each in list_requests(hub)] == ["submitted", "approved", "approved"]
    assert operator.post("/approvals", which="chosen").headers["location"] == "/reviews"


def test_where_it_takes_two_people_each_reads_what_is_theirs_to_do(
    hub: Hub, visit: Visit, issuer: str, make_csr: Csr, make_ca: Callable[..., Any]
) -> None:
    strict = replace(hub, settings=replace(hub.settings, two_people=TwoPeople.ALWAYS))
    app = portal_app(strict, applied)
    ann, bob = visit(app=app), visit(Role.REVIEWER, app=app)
    bank = replace(strict, actor=f"est:{issuer}")
    numbers = [submit_request(bank, issuer, make_csr()).id for _ in range(3)]
    chain = submit_chain(bank, issuer, certificate_pem(make_ca("Bank Root")[1]).encode()).id
    page, pin = f"/reviews/requests/{numbers[0]}", "a" * 64
    assert "You propose it; it takes effect when another person confirms it." in ann.said(ann.get(page))
    assert ann.post(f"{page}/approve").headers["location"] == "/reviews?done=proposed"
    assert "It takes effect when a second person confirms it." in ann.said(ann.get("/reviews?done=proposed"))
    own = ann.get(page)
    assert ("You have proposed it on" in ann.said(own), f"{page}/approve" in own.text) == (True, False)
    alone = ann.post(f"{page}/approve")
    assert (alone.status_code, "Ann (reviewer@hub.example) can confirm it" in ann.said(alone)) == (403, True)
    assert "operator@hub.example has proposed it on" in bob.said(bob.get(page))
    assert bob.post(f"{page}/approve").headers["location"] == "/reviews?done=in-force"
    ann.post(f"/reviews/chains/{chain}/approve", pins=pin)
    assert f'spellcheck="false">{pin}</textarea>' in bob.get(f"/reviews/chains/{chain}").text
    bob.post(f"/reviews/chains/{chain}/approve", pins=pin)
    assert show_chain(hub, chain).spki_pins == (pin,)
    job = ann.post("/approvals", which="all").headers["location"]
    assert "2 proposed: they take effect when a second person confirms them." in ann.said(ann.get(job))
    assert "2 approved, 0 left alone." in bob.said(bob.get(bob.post("/approvals", which="all").headers["location"]))
    assert {each.state.value for each in list_requests(hub)} == {"approved"}


@pytest.mark.parametrize(
    ("role", "status"), [(Role.AUDITOR, 403), (Role.REVIEWER, 303), (Role.CUSTOMER_ADMINISTRATOR, 403)]
)
def test_who_decides_is_a_matter_of_the_role(
    hub: Hub, visit: Visit, issuer: str, make_csr: Csr, role: Role, status: int
) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    visitor = visit(role, issuer if role.of_customer else None)
    assert visitor.post(f"/reviews/requests/{number}/approve").status_code == status
    assert visitor.post("/approvals", which="all").status_code == status
