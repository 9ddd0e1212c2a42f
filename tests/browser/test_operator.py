"""An operator walks through the reviews in a browser: approves, endorses, refuses, and finds it all in the audit."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bench.portal_site import serving
from playwright.sync_api import Page, expect
from tests.browser.conftest import PASSWORD, Open, accept, downloaded

from bothways.bundle.seal import INSTRUCTIONS, Kind, open_bundle
from bothways.operations.accounts import current_code, invite_person
from bothways.operations.certificates import list_certificates
from bothways.operations.chains import show_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import show_submitted_endpoint, submit_endpoint
from bothways.operations.hub import Hub, now
from bothways.operations.people import add_person
from bothways.operations.requests import list_requests, submit_request
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind


@pytest.mark.timeout(300)
def test_through_the_reviews(
    hub: Hub,
    issuer: str,
    open_page: Open,
    make_csr: Callable[..., bytes],
    make_ca: Callable[..., Any],
    tmp_path: Path,
) -> None:
    for _ in range(4):
        submit_request(hub, issuer, make_csr())
    submit_chain(hub, issuer, certificate_pem(make_ca("Bank Root")[1]).encode())
    submit_endpoint(hub, issuer, "https://callbacks.bank.example")
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    ann = add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)
    with serving(hub):
        # Without JavaScript: everything essential works.
        page = open_page(java_script_enabled=False)
        secret = accept(page, hub, invite_person(hub, ann.id)[1])
        expect(page.locator("h1")).to_have_text("Reviews")
        page.get_by_role("link", name="Request 1").click()
        expect(page.locator("main")).to_contain_text("TLSMA-ECDSA/12345678/PPR")
        page.click("button:has-text('Approve and sign')")
        page.get_by_role("link", name="Request 2").click()
        page.fill("#reason", "The unit is not ours.")
        page.click("button:has-text('Refuse')")
        page.check("[aria-label='Choose request 3']")
        page.click("button:has-text('Approve the chosen ones')")
        page.goto(f"{hub.terms.portal}/reviews")
        page.get_by_role("link", name="Chain 1").click()
        expect(page.locator(".tree")).to_contain_text("CN=Bank Root")
        page.click("button:has-text('Endorse')")
        page.get_by_role("link", name="Server 1").click()
        page.fill("#reason", "It answers for another company.")
        page.click("button:has-text('Refuse')")
        page.click("nav >> text=Audit")
        for done in ("request.approve", "request.refuse", "chain.endorse", "endpoint.refuse"):
            expect(page.locator("table")).to_contain_text(done)
        page.click("nav >> text=Customers")
        page.fill("#find", "Corner")
        page.click("button:has-text('Filter')")
        expect(page.locator("tbody th")).to_have_count(1)
        _by_hand(page, tmp_path)
        page.click("button:has-text('Sign out')")
        page.goto(f"{hub.terms.portal}/audit")
        page.fill("#email", "ann@hub.example")
        page.fill("#password", "wrong")
        page.fill("#code", "000000")
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("div[role=alert]")).to_contain_text("is wrong")
        page.fill("#password", PASSWORD)
        # The code that made the account was used; the next one is taken half a minute early.
        page.fill("#code", _next_code(secret))
        page.get_by_role("button", name="Sign in", exact=True).click()
        expect(page.locator("h1")).to_have_text("Audit")
    states = {each.id: each.state.value for each in list_requests(hub)}
    assert states == {1: "approved", 2: "refused", 3: "approved", 4: "submitted"}
    assert len(list_certificates(hub)) == 2
    assert show_chain(hub, 1).state == "endorsed"
    assert show_submitted_endpoint(hub, 1).reason == "It answers for another company."


def _by_hand(page: Page, directory: Path) -> None:
    """Make a bundle for the customer that was found, save it, and print its instructions."""
    page.get_by_role("link", name="Corner Shop").click()
    page.click("nav >> text=Files")
    page.click("button:has-text('Make a bundle')")
    saved = downloaded(page, lambda: page.click("a:has-text('Save hub-87654321-PPR.zip')"))
    (directory / "hub.zip").write_bytes(saved)
    bundle = open_bundle(saved, Kind.HUB, "bundle")
    expect(page.locator("[role=status] .fingerprint")).to_have_text(
        ":".join(re.findall("..", bundle.fingerprint)).upper()
    )
    files = page.url.removesuffix("/export")
    for path, pages in (("/instructions.html", range(2, 6)), ("", range(1, 4))):
        page.goto(files + path)
        headings = page.locator("h1, h2").all_inner_texts()
        printed = page.pdf(format="A4", prefer_css_page_size=True, tagged=True, outline=True)
        assert len(re.findall(rb"/Type /Page\b", printed)) in pages
        # The outline has the headings, so what is on the page is on paper, as text.
        assert len(headings) > 3
        assert [each for each in headings if f"/Title ({each})".encode() not in printed] == []
    # Whoever opens the page as a file asks the hub too.
    (directory / "instructions.html").write_bytes(bundle.members[INSTRUCTIONS])
    for place in ((directory / "instructions.html").as_uri(), f"{files}/instructions.html"):
        page.goto(place)
        page.fill("#ask", "CSR-KEY-03")
        page.get_by_role("button", name="Ask").click()
        expect(page.locator("#state")).to_contain_text("passages about “CSR-KEY-03”")
    page.goto(files)


def _next_code(secret: str) -> str:
    return current_code(secret, now() + timedelta(seconds=30))
