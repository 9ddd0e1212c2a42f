import getpass
from collections.abc import Callable
from dataclasses import replace
from subprocess import CompletedProcess
from typing import Any

from bothways.operations.hub import Hub
from bothways.operations.settings import TwoPeople, render_settings

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


def test_people_are_added_listed_and_disabled(in_hub: Run, document: Document, issuer: str) -> None:
    ann = document("person", "add", "ann@hub.example", "--name", "Ann", "--role", "reviewer", "--os-user", "ann")
    assert (ann["role"], ann["os_user"], ann["state"]) == ("reviewer", "ann", "active")
    role = ("--role", "customer-member", "--customer", issuer)
    bob = document("person", "add", "bob@bank.example", "--name", "Bob", *role)
    assert [each["email"] for each in document("person", "list", "--customer", issuer)] == ["bob@bank.example"]
    assert document("person", "disable", bob["id"], "--reason", "tested")["state"] == "disabled"
    listed = in_hub("person", "list").stdout.splitlines()
    assert [line.split()[-1] for line in listed] == ["STATE", "active", "disabled"]


def test_all_that_is_wrong_with_a_person_is_told(document: Document) -> None:
    refused = document("person", "add", "ann", "--name", " ", "--role", "customer-member", code=1)
    assert [each["id"] for each in refused["findings"]] == ["PERSON-01", "PERSON-02", "PERSON-03"]


def test_a_person_is_invited_with_a_link(in_hub: Run, document: Document) -> None:
    document("person", "add", "ann@hub.example", "--name", "Ann", "--role", "operator")
    invited = document("person", "invite", 1)
    assert "/invitation/" in invited["link"]
    printed = in_hub("person", "invite", "1").stdout.strip()
    assert printed.startswith("https://portal.")
    assert printed != invited["link"]
    document("person", "invite", 99, code=2)


def test_where_it_takes_two_people_the_machine_names_two_and_more_with_a_reason(
    in_hub: Run, document: Document, bothways: Run, hub: Hub
) -> None:
    settings = replace(hub.settings, two_people=TwoPeople.ALWAYS)
    (hub.directory / "hub.toml").write_text(render_settings(settings))
    user = getpass.getuser()
    document("person", "add", "ann@hub.example", "--name", "Ann", "--role", "operator", "--os-user", user)
    document("person", "add", "bob@hub.example", "--name", "Bob", "--role", "reviewer")
    zoe = ("person", "add", "zoe@hub.example", "--name", "Zoe", "--role", "reviewer")
    assert document(*zoe)["by"] == "ann@hub.example"
    invited = in_hub("person", "invite", "3")
    assert "another person confirms it, and has a code" in invited.stderr
    [waits] = [line for line in in_hub("person", "list").stdout.splitlines() if "zoe" in line]
    assert waits.endswith("proposed, addition by ann@hub.example waits, invitation by ann@hub.example waits")
    assert "same person" in in_hub("person", "confirm", "3").stderr
    document("person", "refuse", 3, "--reason", "a mistake")
    again = (*zoe[:2], "carl@hub.example", *zoe[3:])
    assert document(*again, "--alone", "Bob is ill")["state"] == "active"
    assert '"alone": "Bob is ill"' in in_hub("audit", "export").stdout
    elsewhere = bothways(*again, "--alone", "Bob is ill", "--hub", "https://portal.hub.example")
    assert (elsewhere.returncode, "hub's own machine" in elsewhere.stderr) == (2, True)
