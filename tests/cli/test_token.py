from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


def test_a_token_is_shown_once_listed_without_it_and_revoked(in_hub: Run, document: Document, issuer: str) -> None:
    scopes = ("--scope", "customer-read", "--scope", "request-submit")
    made = document("token", "add", "ci", "--role", "customer-member", "--customer", issuer, *scopes)
    assert made["token"].startswith("bothways_ppr_")
    assert (made["customer"], made["scopes"]) == (issuer, ["customer-read", "request-submit"])
    listed = in_hub("token", "list", "--customer", issuer).stdout
    assert ("ci" in listed, made["token"] in listed) == (True, False)
    assert document("token", "revoke", made["id"], "--reason", "tested")["state"] == "revoked"
    assert document("token", "revoke", made["id"], "--reason", "tested", code=2)["error"] == "conflict"


def test_people_read_the_token_on_stdout_alone(in_hub: Run) -> None:
    done = in_hub("token", "add", "ops", "--role", "operator", "--days", "30")
    assert done.stdout.startswith("bothways_ppr_")
    assert "It is not shown again" in done.stderr
    assert done.stdout.strip() not in done.stderr


def test_what_does_not_go_together_is_refused(document: Document, in_hub: Run) -> None:
    refused = document("token", "add", "Bad Name", "--role", "customer-member", code=1)
    assert [each["id"] for each in refused["findings"]] == ["TOKEN-01", "TOKEN-02"]
    assert in_hub("token", "add", "ci", "--role", "operator", "--days", "398").returncode == 2
