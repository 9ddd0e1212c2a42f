"""Contacts are added and removed by the operator; a customer sees its own, and no secret twice."""

import re

from tests.web.pages.conftest import Visitor

from bothways.operations.contacts import list_contacts
from bothways.operations.hub import Hub


def test_an_address_is_added_and_removed(hub: Hub, operator: Visitor, issuer: str) -> None:
    at = f"/customers/{issuer}/contacts"
    assert operator.post(at, kind="email", address="pki@bank.example").headers["location"] == f"{at}?done=added"
    page = operator.get(at).text
    assert "pki@bank.example" in page
    assert "60, 30, 14, 7, 1 days ahead" in page
    assert "no mail server is set" in page
    [contact] = list_contacts(hub, issuer)
    assert operator.post(f"{at}/{contact.id}/remove", reason="moved").headers["location"] == f"{at}?done=removed"
    assert list_contacts(hub, issuer) == ()


def test_the_secret_of_a_webhook_is_shown_once(operator: Visitor) -> None:
    page = operator.post("/contacts", kind="webhook", address="https://hub.example/told").text
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", page)
    assert secret not in operator.get("/contacts").text


def test_what_is_no_address_is_told_and_stays_in_the_form(operator: Visitor) -> None:
    page = operator.post("/contacts", kind="email", address="nobody")
    assert page.status_code == 422
    assert "CONTACT-ADDRESS" in page.text
    assert 'value="nobody"' in page.text


def test_a_customer_reads_its_own_and_changes_none(hub: Hub, bank: Visitor, issuer: str, other: str) -> None:
    page = bank.get(f"/customers/{issuer}/contacts")
    assert "Ask the hub" in page.text
    assert '<form method="post" action="/customers' not in page.text
    assert bank.post(f"/customers/{issuer}/contacts", kind="email", address="x@bank.example").status_code == 403
    assert bank.get(f"/customers/{other}/contacts").status_code == 404
    assert bank.get("/contacts").status_code == 403
    assert list_contacts(hub, issuer) == ()
