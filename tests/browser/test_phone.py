"""On a phone, what came of a form is where one looks: nothing has to be searched for below three screens of others."""

from collections.abc import Callable
from typing import Any

import pytest
from bench.portal_site import account, serving
from playwright.sync_api import Page, expect
from tests.browser.conftest import Open

from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_what_came_of_a_form_is_seen_without_scrolling(
    hub: Hub,
    issuer: str,
    open_page: Open,
    make_csr: Callable[..., bytes],
    make_ca: Callable[..., Any],
    *,
    scripts: bool,
) -> None:
    with serving(hub):
        page = open_page(java_script_enabled=scripts, viewport={"width": 360, "height": 740})
        cookie = account(hub, "bob@bank.example", "Bob", Role.CUSTOMER_ADMINISTRATOR, issuer)
        name, own = "__Host-bothways-ppr", f"{hub.terms.portal}/customers/{issuer}"
        page.context.add_cookies([{"name": name, "value": cookie, "url": hub.terms.portal, "secure": True}])
        page.goto(f"{own}/requests")
        _send(page, "csr", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----", "Check it")
        expect(page.locator("[role=alert]")).to_be_in_viewport()
        _send(page, "csr", make_csr().decode(), "Check it")
        expect(page.locator("text=Every rule is kept")).to_be_in_viewport()
        page.get_by_role("button", name="Submit for review").click()
        expect(page.locator("[role=status]")).to_be_in_viewport()
        page.goto(f"{own}/trust")
        _send(page, "chain", certificate_pem(make_ca("bank.example", ca=False)[1]), "Submit for endorsement")
        expect(page.locator("[role=alert]")).to_be_in_viewport()
        _send(page, "chain", certificate_pem(make_ca("Bank Root")[1]), "Submit for endorsement")
        expect(page.locator("[role=status]")).to_be_in_viewport()


def _send(page: Page, field: str, content: str, button: str) -> None:
    page.fill(f"#{field}", content)
    page.get_by_role("button", name=button).click()
