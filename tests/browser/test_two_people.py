"""Two people of a hub of production in two browsers: one proposes and reads who else is needed, the other confirms."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from bench.portal_site import serving
from playwright.sync_api import Page, expect
from tests.browser.conftest import Open, accept, check_accessible

from bothways.operations.accounts import invite_person
from bothways.operations.certificates import list_certificates
from bothways.operations.chains import show_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import show_endpoint, submit_endpoint
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.requests import submit_request
from bothways.operations.two_people import AtHost
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind

ISSUER, PIN = "12345678", "a" * 64


@pytest.mark.timeout(300)
def test_one_proposes_and_another_one_confirms(
    prd: Hub, open_page: Open, make_csr: Callable[..., bytes], make_ca: Callable[..., Any]
) -> None:
    add_customer(prd, ISSUER, CustomerKind.ISSUER, "First Bank")
    bank = add_person(prd, "admin@bank.example", "Admin", Role.CUSTOMER_ADMINISTRATOR, ISSUER)
    theirs = replace(prd, actor=bank.email)
    for _ in range(3):
        submit_request(theirs, ISSUER, make_csr(CN="TLSMA-ECDSA/12345678/PRD"))
    submit_chain(theirs, ISSUER, certificate_pem(make_ca("Bank Root")[1]).encode())
    submit_endpoint(theirs, ISSUER, "https://callbacks.bank.example")
    people = [
        add_person(prd, "ann@hub.example", "Ann", Role.OPERATOR, at_host=AtHost()),
        add_person(prd, "bob@hub.example", "Bob", Role.REVIEWER, at_host=AtHost()),
    ]
    with serving(prd):
        ann, bob = open_page(java_script_enabled=False), open_page()
        for page, person in zip((ann, bob), people, strict=True):
            accept(page, prd, invite_person(prd, person.id, AtHost())[1])
            expect(page.locator("main")).to_contain_text("it takes two different people")
        check_accessible(bob)

        ann.get_by_role("link", name="Request 1").click()
        ann.click("button:has-text('Propose')")
        expect(ann.locator("[role=status]")).to_contain_text("when a second person confirms it")
        ann.get_by_role("link", name="Request 1").click()
        expect(ann.locator("main")).to_contain_text("You have proposed it on")
        expect(ann.locator("main")).to_contain_text("Bob (bob@hub.example) can confirm it")
        expect(ann.locator("button:has-text('Propose')")).to_have_count(0)
        assert list_certificates(prd) == ()

        bob.goto(f"{prd.terms.portal}/reviews/requests/1")
        expect(bob.locator("main")).to_contain_text("ann@hub.example has proposed it on")
        check_accessible(bob)
        bob.click("button:has-text('Confirm')")
        assert len(list_certificates(prd)) == 1

        ann.goto(f"{prd.terms.portal}/reviews/chains/1")
        ann.fill("#pins", PIN)
        ann.click("button:has-text('Propose')")
        bob.goto(f"{prd.terms.portal}/reviews/chains/1")
        expect(bob.locator("#pins")).to_have_value(PIN)
        bob.click("button:has-text('Confirm')")
        assert show_chain(prd, 1).spki_pins == (PIN,)

        bob.goto(f"{prd.terms.portal}/reviews/endpoints/1")
        bob.click("button:has-text('Propose')")
        ann.goto(f"{prd.terms.portal}/reviews/endpoints/1")
        ann.click("button:has-text('Confirm')")
        assert show_endpoint(prd, ISSUER).host == "callbacks.bank.example"

        expect(ann.locator("[role=status]")).to_be_visible()
        carl = open_page()
        name_a_third(ann, bob, carl, prd)

        for page, said in ((ann, "2 proposed"), (bob, "2 approved")):
            page.goto(f"{prd.terms.portal}/reviews")
            page.click("button:has-text('Propose or confirm all 2 that keep every rule')")
            expect(page.locator("main")).to_contain_text("2 of 2")
            expect(page.locator("main")).to_contain_text(said)
        assert len(list_certificates(prd)) == 3
        # Their connections end before the server does.
        for page in (ann, bob, carl):
            page.context.close()


def name_a_third(ann: Page, bob: Page, carl: Page, hub: Hub) -> None:
    """Ann has the link, Bob the code, and Carl comes in with both."""
    ann.goto(f"{hub.terms.portal}/people")
    ann.fill("#name", "Carl")
    ann.fill("#email", "carl@hub.example")
    ann.select_option("#role", "reviewer")
    ann.click("button:has-text('Invite'):not(:has-text('again'))")
    expect(ann.locator("main")).to_contain_text("The link does not open yet")
    link = ann.locator("#invitation").inner_text().strip()
    bob.goto(f"{hub.terms.portal}/reviews")
    check_accessible(bob)
    bob.get_by_role("button", name="Confirm carl@hub.example").click()
    expect(bob.locator("main")).to_contain_text("shown this once")
    check_accessible(bob)
    carl.goto(link)
    check_accessible(carl)
    carl.fill("#second", "AAAA")
    carl.click("button:has-text('Go on')")
    expect(carl.locator("[role=alert]")).to_contain_text("code of the second person")
    carl.fill("#second", bob.locator("#second-code").inner_text().strip())
    carl.click("button:has-text('Go on')")
    expect(carl.locator("main")).to_contain_text("Welcome, Carl")
    accept(carl, hub, carl.url.rpartition("/")[2])
    expect(carl.locator("main")).to_contain_text("it takes two different people")
