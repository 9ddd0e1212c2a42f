from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


def test_an_endpoint_is_set_and_shown(document: Document, in_hub: Run, issuer: str) -> None:
    wanted = {
        "customer": issuer,
        "url": "https://callbacks.bank.example:8443/hub",
        "host": "callbacks.bank.example",
        "port": 8443,
        "path": "/hub",
    }
    assert document("endpoint", "set", issuer, "https://Callbacks.Bank.example:8443/hub/") == wanted | {
        "in_force": None
    }
    assert document("endpoint", "show", issuer) == wanted
    assert in_hub("endpoint", "show", issuer).stdout == "https://callbacks.bank.example:8443/hub\n"


def test_people_are_told_what_is_next(in_hub: Run, issuer: str) -> None:
    done = in_hub("endpoint", "set", issuer, "https://callbacks.bank.example")
    assert done.stdout == f"{issuer} is called at https://callbacks.bank.example\n"
    assert f"bothways probe {issuer}" in done.stderr


def test_a_server_is_submitted_listed_and_approved(document: Document, in_hub: Run, issuer: str) -> None:
    assert document("endpoint", "submit", issuer, "https://bank.example")["state"] == "submitted"
    [waiting] = document("endpoint", "list")
    assert (waiting["id"], waiting["customer"], waiting["url"]) == (1, issuer, "https://bank.example")
    assert "https://bank.example" in in_hub("endpoint", "list").stdout
    assert "bothways endpoint approve 1" in in_hub("endpoint", "show", issuer).stderr
    assert document("endpoint", "approve", 1)["state"] == "approved"
    assert document("endpoint", "show", issuer)["url"] == "https://bank.example"
    assert document("endpoint", "submit", issuer, "https://bank.example/v2")["state"] == "approved"
    assert document("endpoint", "list") == []


def test_a_server_is_refused_with_a_reason(document: Document, in_hub: Run, issuer: str) -> None:
    document("endpoint", "submit", issuer, "https://bank.example")
    refused = document("endpoint", "refuse", 1, "--reason", "not yours")
    assert (refused["state"], refused["reason"]) == ("refused", "not yours")
    again = in_hub("endpoint", "approve", 1)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is refused, not submitted" in again.stderr


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://bank.example", ["ENDPOINT-01"]),
        ("https://127.0.0.1", ["ENDPOINT-02"]),
        ("https://bank.example:99999", ["ENDPOINT-03"]),
        ("https://user@bank.example/?q", ["ENDPOINT-04"]),
        ("ftp://[::1]:70000/#x", ["ENDPOINT-01", "ENDPOINT-02", "ENDPOINT-03", "ENDPOINT-04"]),
    ],
)
def test_a_bad_address_is_refused_with_all_findings_and_not_stored(
    in_hub: Run, document: Document, issuer: str, url: str, found: list[str]
) -> None:
    refused = document("endpoint", "set", issuer, url, code=1)
    assert [each["id"] for each in refused["findings"]] == found
    assert in_hub("endpoint", "show", issuer).returncode == 2


@pytest.mark.parametrize("command", [("set", "999", "https://bank.example"), ("show", "999")], ids=["set", "show"])
def test_an_unknown_customer_is_said(in_hub: Run, command: tuple[str, ...]) -> None:
    done = in_hub("endpoint", *command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "there is no customer 999. Look at: bothways customer list\n"
