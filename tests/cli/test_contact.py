from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


def test_contacts_of_a_customer_are_added_listed_and_removed(in_hub: Run, document: Document, issuer: str) -> None:
    mail = document("customer", "contact", "add", issuer, "--email", "pki@bank.example")
    assert (mail["customer"], mail["kind"], "secret" in mail) == (issuer, "email", False)
    hook = document("customer", "contact", "add", issuer, "--webhook", "https://bank.example/hook")
    assert hook["secret"].startswith("whsec_")
    listed = in_hub("customer", "contact", "list", issuer)
    assert "pki@bank.example" in listed.stdout
    assert "whsec_" not in listed.stdout
    assert document("customer", "contact", "remove", issuer, mail["id"], "--reason", "tested")["removed"] is True
    assert [each["id"] for each in document("customer", "contact", "list", issuer)] == [hook["id"]]


def test_contacts_of_the_operator_are_others(document: Document, issuer: str) -> None:
    own = document("hub", "contact", "add", "--email", "ops@hub.example")
    assert document("customer", "contact", "list", issuer) == []
    assert (
        document("customer", "contact", "remove", issuer, own["id"], "--reason", "tested", code=2)["error"]
        == "notfound"
    )
    assert [each["address"] for each in document("hub", "contact", "list")] == ["ops@hub.example"]
    assert document("hub", "contact", "remove", own["id"], "--reason", "tested")["removed"] is True


def test_people_are_told_the_secret_once_and_that_no_mail_is_sent_yet(in_hub: Run, issuer: str) -> None:
    assert "whsec_" in in_hub("hub", "contact", "add", "--webhook", "https://hub.example").stderr
    assert "smtp.host" in in_hub("customer", "contact", "add", issuer, "--email", "a@bank.example").stderr


def test_a_contact_is_one_thing_and_an_address(document: Document, issuer: str) -> None:
    both = ("--email", "a@b.example", "--webhook", "https://b.example")
    for options in ((), both):
        assert document("hub", "contact", "add", *options, code=2)["error"] == "unusable"
    assert document("customer", "contact", "add", issuer, "--email", "nobody", code=1)["error"] == "refused"
