import pytest

from bothways.registry.contact import Contact, ContactKind, contact_findings


@pytest.mark.parametrize("address", ["pki@bank.example", "a.b+c@x", f"{'a' * 64}@bank.example"])
def test_a_mailbox_is_taken(address: str) -> None:
    assert contact_findings(ContactKind.EMAIL, address, danger_loopback=False) == ()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "pki",
        "@bank.example",
        "pki@",
        "a@b,c@d",
        "A <a@b.example>",
        "a@b\nBcc: c@d",
        "a@b\n",
        "ü@b",
        f"{'a' * 65}@b",
    ],
)
def test_what_is_no_mailbox_is_found(address: str) -> None:
    [finding] = contact_findings(ContactKind.EMAIL, address, danger_loopback=True)
    assert (finding.id, repr(address) in finding.message) == ("CONTACT-ADDRESS", True)


@pytest.mark.parametrize("address", ["https://bank.example/hooks?a=b", "https://bank.example:8443", "https://[::1]/"])
def test_an_https_url_is_taken(address: str) -> None:
    assert contact_findings(ContactKind.WEBHOOK, address, danger_loopback=False) == ()


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bank.example",
        "http://bank.example",
        "http://127.0.0.1",
        "https://",
        "https://user:pass@bank.example",
        "https://bank.example/#part",
        "https://bank.example:port",
        "https://bank.example/a b",
        "file:///etc/passwd",
        f"https://bank.example/{'a' * 2048}",
    ],
)
def test_what_is_no_https_url_is_found(address: str) -> None:
    assert len(contact_findings(ContactKind.WEBHOOK, address, danger_loopback=False)) == 1


def test_plain_http_is_for_loopback_and_danger_alone() -> None:
    assert contact_findings(ContactKind.WEBHOOK, "http://127.0.0.1:80/", danger_loopback=True) == ()
    assert len(contact_findings(ContactKind.WEBHOOK, "http://bank.example", danger_loopback=True)) == 1


def test_neither_document_nor_representation_shows_the_secret() -> None:
    contact = Contact(1, None, ContactKind.WEBHOOK, "https://bank.example", "whsec_abc")
    assert "abc" not in repr(contact)
    assert contact.document() == {"id": 1, "customer": None, "kind": "webhook", "address": "https://bank.example"}
