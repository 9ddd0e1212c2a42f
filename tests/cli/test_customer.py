import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.connectivity.facts import ProbeFact
from bothways.findings import Finding
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem

Run = Callable[..., "CompletedProcess[str]"]
ADD = ("customer", "add", "12345678", "--kind", "issuer", "--organization", "First Bank")


def test_a_customer_is_added_and_shown_with_both_flows(document: Callable[..., Any]) -> None:
    added = document(*ADD)
    assert (added["customer"], added["kind"], added["organization"]) == ("12345678", "issuer", "First Bank")
    assert (added["inbound"]["state"], added["outbound"]["state"]) == ("not started", "not started")
    assert document("customer", "show", "12345678") == added | {"probe": None, "observations": []}
    assert document("customer", "list") == [added]


def test_what_follows_is_commands_for_an_issuer_and_a_bundle_for_a_merchant(in_hub: Run) -> None:
    assert "bothways hub contract --openssl 12345678" in in_hub(*ADD).stderr
    merchant = in_hub("customer", "add", "55500011", "--kind", "merchant", "--organization", "Corner Shop")
    assert "bothways bundle export 55500011" in merchant.stderr


def test_people_read_a_table_and_a_checklist(in_hub: Run) -> None:
    done = in_hub(*ADD)
    assert done.stdout == "issuer 12345678 (First Bank) is registered.\n"
    assert "bothways hub contract --openssl 12345678" in done.stderr
    listed = in_hub("customer", "list")
    assert "12345678  issuer  First Bank" in listed.stdout
    assert listed.stderr == ""
    shown = in_hub("customer", "show", "12345678").stdout
    assert "inbound: not started" in shown
    assert "outbound: not started" in shown
    assert "[ ] request" in shown


def test_a_customer_is_suspended_resumed_and_removed(in_hub: Run, document: Callable[..., Any]) -> None:
    in_hub(*ADD)
    assert document("customer", "suspend", "12345678", "--reason", "tested") == {
        "customer": "12345678",
        "suspended": True,
        "in_force": None,
    }
    assert document("customer", "show", "12345678")["inbound"]["state"] == "suspended"
    assert document("customer", "resume", "12345678") == {"customer": "12345678", "suspended": False, "in_force": None}
    assert document("customer", "show", "12345678")["inbound"]["state"] == "not started"
    assert document("customer", "remove", "12345678", "--reason", "tested") == {
        "customer": "12345678",
        "removed": True,
        "in_force": None,
    }
    assert document("customer", "list") == []


@pytest.mark.parametrize(("days", "code"), [(20, 5), (40, 0)])
def test_a_flow_that_is_to_expire_soon_shows_in_the_exit_code(
    in_hub: Run, hub: Hub, issuer: str, make_ca: Callable[..., Any], days: int, code: int
) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    _, root = make_ca("Root", days=days)
    endorse_chain(hub, submit_chain(hub, issuer, certificate_pem(root).encode()).id)
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    done = in_hub("customer", "show", issuer)
    assert done.returncode == code
    assert f"outbound: {'at risk' if code else 'established'}" in done.stdout
    assert in_hub("customer", "list").returncode == 0


def test_what_the_last_probe_found_is_shown(in_hub: Run, document: Callable[..., Any], hub: Hub, issuer: str) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    finding = Finding("PROBE-PIN-01", "it pins", "Trust the CA.", "R15", "bank.example")
    record_probe(
        hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3", risk="pins"), (finding,)
    )
    shown = in_hub("customer", "show", issuer).stdout
    assert "probe of bank.example:443 at " in shown
    assert "  error   PROBE-PIN-01: it pins. Trust the CA." in shown
    probe = document("customer", "show", issuer)["probe"]
    assert (probe["ok"], probe["risk"], [each["id"] for each in probe["findings"]]) == (True, "pins", ["PROBE-PIN-01"])


def test_a_customer_is_added_once(in_hub: Run, document: Callable[..., Any]) -> None:
    in_hub(*ADD)
    again = in_hub(*ADD[:-1], "Second Bank")
    assert (again.returncode, again.stdout) == (2, "")
    assert document("customer", "show", "12345678")["organization"] == "First Bank"


def test_bad_values_are_refused_with_all_findings(in_hub: Run, document: Callable[..., Any]) -> None:
    done = in_hub("customer", "add", "12 34", "--kind", "merchant", "--organization", " ", "--json")
    assert done.returncode == 1
    assert [each["id"] for each in json.loads(done.stdout)["findings"]] == ["CUSTOMER-01", "CUSTOMER-02"]
    assert len(done.stderr.splitlines()) == 2
    assert document("customer", "list") == []


@pytest.mark.parametrize("command", ["show", "suspend", "resume", "remove"])
def test_an_unknown_customer_is_said_in_one_sentence(in_hub: Run, command: str) -> None:
    why = ("--reason", "tested") if command in {"suspend", "remove"} else ()
    done = in_hub("customer", command, "999", *why)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "there is no customer 999. Look at: bothways customer list\n"


def test_an_unknown_kind_names_the_kinds_there_are(in_hub: Run) -> None:
    done = in_hub("customer", "add", "1", "--kind", "tenant", "--organization", "X")
    assert (done.returncode, done.stdout) == (2, "")
    assert "issuer" in done.stderr
    assert "merchant" in done.stderr


def test_a_one_time_password_is_shown_once_and_says_where_it_works(
    in_hub: Run, document: Callable[..., Any], issuer: str
) -> None:
    shown = document("customer", "enrolment-password", issuer, "--days", 2)
    assert (shown["customer"], shown["days"]) == (issuer, 2)
    assert shown["est"].endswith("/.well-known/est")
    done = in_hub("customer", "enrolment-password", issuer)
    assert done.stdout.strip() not in ("", shown["password"])
    assert f"/.well-known/est/simpleenroll (user {issuer})" in done.stderr
    assert in_hub("customer", "enrolment-password", "nobody").returncode == 2
    assert in_hub("customer", "enrolment-password", issuer, "--days", 91).returncode == 2
