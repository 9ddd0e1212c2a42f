"""Every essential step by keyboard alone, Tab, Enter and Space: an issuer's from the sign-in to the probe; the reviews.

At each stop of Tab, what has the focus is seen and shows it; the stops are all that can be used, in the order in which
they are read, the link past the menus first; and none holds on to the focus.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from bench.portal_site import BANK, serving
from bench.portal_site import account as signed_in
from playwright.sync_api import Page, expect
from tests.browser.conftest import PASSWORD, Open, downloaded
from tests.web.pages.conftest import account

from bothways.operations.accounts import current_code
from bothways.operations.certificates import list_certificates
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import approve_endpoint
from bothways.operations.hub import Hub, now
from bothways.operations.people import add_person
from bothways.operations.requests import approve_request, list_requests, show_request, submit_request
from bothways.operations.two_people import AtHost, proposal_of
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.store.proposals import Kind

_USABLE = """() => {
  const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
  window.stops = [...document.querySelectorAll(usable)].filter((each) => !each.disabled && each.checkVisibility());
  return window.stops.length;
}"""
"""Notes what can be used of a page, in the order of the document, and counts it."""

_STOP = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect(), style = getComputedStyle(at);
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height, 20) / 2);
  return {
    place: window.stops.indexOf(at),
    name: at.getAttribute('aria-label') || (at.labels && at.labels[0] ? at.labels[0].innerText : at.innerText),
    seen: box.width > 5 && box.height > 5 && !!there && (at.contains(there) || there.contains(at)),
    ring: at.matches(':focus-visible') && style.outlineStyle === 'solid' ? parseFloat(style.outlineWidth) : 0,
  };
}"""
"""Tells what has the focus: which of the noted it is, what it is called, whether it is seen, and pixels of its ring."""


@pytest.mark.timeout(300)
def test_every_essential_step_of_an_issuer(
    hub: Hub, issuer: str, open_page: Open, make_csr: Callable[..., bytes], make_ca: Callable[..., Any]
) -> None:
    kim = add_person(hub, "kim@bank.example", "Kim", Role.CUSTOMER_ADMINISTRATOR, issuer)
    secret = account(hub, kim)
    with serving(hub):
        page = open_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{hub.terms.portal}/customers/{issuer}/requests")
        _walk(page)
        _write(page, "E-mail address", kim.email)
        _write(page, "Password", PASSWORD)
        # The code that made the account was used; the next one is taken half a minute early.
        _write(page, "Code of your authenticator app", current_code(secret, now() + timedelta(seconds=30)))
        page.keyboard.press("Enter")
        expect(page.locator("nav [aria-current]")).to_have_text("Requests (CSR)")
        _request(page, make_csr().decode())
        approve_request(hub, 1)
        _go(page, "Certificates")
        chain = downloaded(page, lambda: _press(page, "Download the chain (tls.crt)", "Enter"))
        assert chain.count(b"BEGIN CERTIFICATE") > 0
        _press(page, "Revoke it", "Space")
        _to(page, "Reason")
        _go(page, "Trust")
        _write(page, "Paste the CA certificates in PEM", certificate_pem(make_ca("Bank Root")[1]))
        _press(page, "Submit for endorsement", "Space")
        expect(page.locator("[role=status]")).to_contain_text("Submitted")
        endorse_chain(hub, 1)
        _go(page, "Endpoint")
        _write(page, "Base URL", "https://callbacks.localhost:1")
        page.keyboard.press("Enter")
        expect(page.locator("[role=status]")).to_contain_text("Submitted")
        approve_endpoint(hub, 1)
        _go(page, "Endpoint")
        _press(page, "Probe now", "Space")
        expect(page.locator("progress")).to_have_js_property("value", 6)
        _press(page, "Sign out", "Space")
        expect(page.locator("[role=status]")).to_have_text("You have signed out.")
    assert len(list_certificates(hub)) == 1


@pytest.mark.timeout(300)
def test_an_operator_through_the_reviews(
    prd: Hub, open_page: Open, make_csr: Callable[..., bytes], make_ca: Callable[..., Any]
) -> None:
    add_customer(prd, BANK, CustomerKind.ISSUER, "First Bank")
    bob = add_person(prd, "bob@hub.example", "Bob", Role.REVIEWER, at_host=AtHost())
    kim = add_person(prd, "kim@bank.example", "Kim", Role.CUSTOMER_ADMINISTRATOR, BANK)
    # Who hands in for a customer proposes it.
    for _ in range(2):
        submit_request(replace(prd, actor=bob.email), BANK, make_csr(CN=f"TLSMA-ECDSA/{BANK}/PRD"))
    submit_chain(replace(prd, actor=kim.email), BANK, certificate_pem(make_ca("Bank Root")[1]).encode())
    cookie = signed_in(prd, "ann@hub.example", "Ann", Role.OPERATOR)
    with serving(prd):
        page = open_page(viewport={"width": 1280, "height": 800})
        page.context.add_cookies([{"name": "__Host-bothways-prd", "value": cookie, "url": prd.terms.portal}])
        page.goto(f"{prd.terms.portal}/audit")
        _go(page, "Reviews")
        for name, begin, (key, button), said in (
            ("Request 1", "", ("Enter", "Confirm"), "in force"),
            ("Request 2", "The unit is not ours.", ("Space", "Refuse"), "The customer reads the reason"),
            ("Chain 1", "", ("Space", "Propose"), "when a second person confirms it"),
        ):
            _press(page, name, "Enter")
            expect(page.locator("h1")).to_contain_text(name)
            if begin:
                _write(page, "Reason", begin)
            else:
                _walk(page)
            _press(page, button, key)
            expect(page.locator("[role=status]")).to_contain_text(said)
    assert {each.id: each.state.value for each in list_requests(prd)} == {1: "approved", 2: "refused"}
    assert (show_request(prd, 2)[0].reason, len(list_certificates(prd))) == ("The unit is not ours.", 1)
    assert proposal_of(prd, Kind.CHAIN, 1) is not None


def _request(page: Page, csr: str) -> None:
    """Paste a request, have it checked, and submit it."""
    _walk(page)
    _write(page, "Paste the content of tls.csr, or drop the file here", csr)
    _press(page, "Check it", "Enter")
    expect(page.locator("[role=status]")).to_contain_text("Every rule is kept")
    _press(page, "Submit for review", "Space")
    expect(page.locator("[role=status]")).to_contain_text("Submitted")


def _go(page: Page, name: str) -> None:
    """Go to a page by the menu, and walk over all of it."""
    _press(page, name, "Enter")
    expect(page.locator("nav [aria-current]")).to_have_text(name)
    _walk(page)


def _walk(page: Page) -> None:
    """Go by Tab over everything that can be used, once around; then past the menus."""
    page.wait_for_load_state()
    many = page.evaluate(_USABLE)
    walked = [_tab(page)["place"] for _ in range(many)]
    assert walked == [*range(many)], page.url
    while _tab(page)["place"] != 0:
        pass
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null"), f"{page.url}: the menus are not skipped"


def _tab(page: Page) -> dict[str, Any]:
    """Press Tab; return where one is, which has to be seen."""
    page.keyboard.press("Tab")
    stop: dict[str, Any] = page.evaluate(_STOP)
    if stop["place"] >= 0:
        assert stop["seen"], f"{page.url}: {stop['name']!r} has the focus, and is not seen"
        assert stop["ring"] >= 2, f"{page.url}: nothing shows that {stop['name']!r} has the focus"
    return stop


def _to(page: Page, name: str) -> None:
    """Press Tab until what begins with this name has the focus."""
    for _ in range(page.evaluate(_USABLE) + 2):
        if _tab(page)["name"].strip().startswith(name):
            return
    raise AssertionError(f"{page.url}: nothing with the name {name!r} can be reached")


def _press(page: Page, name: str, key: str) -> None:
    _to(page, name)
    page.keyboard.press(key)


def _write(page: Page, name: str, text: str) -> None:
    _to(page, name)
    page.keyboard.insert_text(text)
