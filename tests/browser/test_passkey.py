"""A passkey is made and used in a real browser, whose authenticator is a virtual one of the browser's own."""

from contextlib import closing

import pytest
from bench.portal_site import serving
from playwright.sync_api import expect
from tests.browser.conftest import Launch, accept

from bothways.operations.accounts import invite_person
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role


@pytest.mark.timeout(300)
def test_a_passkey_is_made_and_signs_in(hub: Hub, launch: Launch) -> None:
    ann = add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)
    # Passkeys want a certificate that the browser believes; this one is told to believe every one.
    with serving(hub), closing(launch("--ignore-certificate-errors")) as browser:
        page = browser.new_page()
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        accept(page, hub, invite_person(hub, ann.id)[1])
        page.goto(f"{hub.terms.portal}/account")
        page.click("button:has-text('Add a passkey')")
        expect(page.locator("[role=status]")).to_contain_text("The passkey was added")
        page.click("button:has-text('Sign out')")
        page.click("button:has-text('Sign in with a passkey')")
        expect(page.locator("h1")).to_have_text("Reviews")
