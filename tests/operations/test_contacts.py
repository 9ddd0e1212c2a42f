import base64

import pytest
from tests.operations.conftest import Audit

from bothways.errors import NotFound, Refused
from bothways.operations.contacts import add_contact, list_contacts, remove_contact
from bothways.operations.hub import Hub
from bothways.registry.contact import ContactKind


def test_contacts_are_added_listed_and_removed_on_record(hub: Hub, issuer: str, audited: Audit) -> None:
    mail = add_contact(hub, issuer, ContactKind.EMAIL, "pki@bank.example")
    hook = add_contact(hub, None, ContactKind.WEBHOOK, "https://hub.example/hook")
    assert (list_contacts(hub, issuer), list_contacts(hub, None)) == ((mail,), (hook,))
    assert remove_contact(hub, issuer, mail.id, "tested") == mail
    assert list_contacts(hub, issuer) == ()
    assert [action for action, _ in audited()[-3:]] == ["contact.add", "contact.add", "contact.remove"]


def test_each_webhook_has_a_secret_of_its_own_and_a_mailbox_has_none(hub: Hub) -> None:
    secrets = [
        add_contact(hub, None, ContactKind.WEBHOOK, f"https://hub.example/{number}").secret for number in range(2)
    ]
    assert secrets[0] != secrets[1]
    assert [len(base64.b64decode(each.removeprefix("whsec_"))) for each in secrets] == [32, 32]
    assert add_contact(hub, None, ContactKind.EMAIL, "a@hub.example").secret == ""


def test_what_is_no_address_or_of_no_customer_is_refused(hub: Hub, audited: Audit) -> None:
    lines = audited()
    with pytest.raises(Refused, match="CONTACT-ADDRESS"):
        add_contact(hub, None, ContactKind.WEBHOOK, "http://hub.example")
    for use in (lambda: add_contact(hub, "999", ContactKind.EMAIL, "a@b"), lambda: list_contacts(hub, "999")):
        with pytest.raises(NotFound):
            use()
    assert audited() == lines
