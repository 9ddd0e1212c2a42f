import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from tests.web.conforming import operation_at

from bothways.cli.commands import FUNCTIONS, GROUPS, INNER, MODULES, ONLY_HERE
from bothways.cli.remote import Remote
from bothways.errors import Unreachable
from bothways.manual import library
from bothways.web.api.answers import ANSWERS

Run = Callable[..., "CompletedProcess[str]"]

NAMED = [
    (MODULES.get((group, command), group), FUNCTIONS.get(command, command))
    for group, (_, commands) in GROUPS.items()
    for command in commands
] + [(module, function) for _, module, functions in INNER.values() for function, _ in functions.values()]


@pytest.mark.parametrize(("module", "function"), NAMED)
def test_each_command_leads_to_a_function_that_says_what_it_does(module: str, function: str) -> None:
    assert getattr(importlib.import_module(f"bothways.cli.{module}"), function).__doc__


def test_modules_of_their_own_are_of_commands_that_there_are() -> None:
    assert [each for each in MODULES if each[1] not in GROUPS[each[0]][1]] == []


def parameters(module: str, function: str) -> set[str]:
    return {*inspect.signature(getattr(importlib.import_module(f"bothways.cli.{module}"), function)).parameters}


def test_each_command_asks_a_hub_elsewhere_or_says_why_not() -> None:
    named = {
        f"{group} {command}": (MODULES.get((group, command), group), FUNCTIONS.get(command, command))
        for group, (_, commands) in GROUPS.items()
        for command in commands
        if group != "spoke"
    }
    here = {
        name
        for name, (module, function) in named.items()
        if "where"
        not in inspect.signature(getattr(importlib.import_module(f"bothways.cli.{module}"), function)).parameters
    }
    assert here | {"hub envoy-bootstrap"} == set(ONLY_HERE)
    # Who reads of the API is told of each that it has no operation.
    said = library.page("api.md").markdown.partition("refuses `--hub`")[2].partition("##")[0]
    named_there = set(re.findall("`(.*?)`", said))
    assert [each for each in ONLY_HERE if named_there.isdisjoint({each, each.partition(" ")[2]})] == []


# Each command that asks a hub: what it is given here, and the operations of the API that it needs, the first one first.
ASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "probe": ("1", ("POST /customers/{tsp_id}/probes",)),
    "rotate": ("", ("POST /rotation",)),
    "hub status": ("", ("GET /hub/status", "GET /customers")),
    "hub reopen": ("", ("POST /hub/reopen",)),
    "hub retry": ("", ("POST /hub/retry",)),
    "hub metrics": ("", ("GET /hub/metrics",)),
    "hub contract": ("", ("GET /hub/contract", "GET /customers/{tsp_id}/openssl")),
    "hub authority activate": ("1 --reason r", ("POST /authorities/{number}/activate",)),
    "hub authority add": ("", ("POST /authorities",)),
    "hub authority behind": ("1", ("GET /authorities/{number}/behind",)),
    "hub authority list": ("", ("GET /authorities",)),
    "hub authority retire": ("1 --reason r", ("POST /authorities/{number}/retire",)),
    "hub node list": ("", ("GET /nodes", "GET /hub/status")),
    "hub node withdraw": ("eu-1 --reason r", ("POST /nodes/{node}/withdraw",)),
    "hub contact add": ("--email a@b.example", ("POST /hub/contacts",)),
    "hub contact list": ("", ("GET /hub/contacts",)),
    "hub contact remove": ("1 --reason r", ("DELETE /hub/contacts/{number}",)),
    "customer add": ("1 --kind issuer --organization Bank", ("POST /customers",)),
    "customer list": ("", ("GET /customers",)),
    "customer show": (
        "1",
        ("GET /customers/{tsp_id}", "GET /customers/{tsp_id}/probes", "GET /customers/{tsp_id}/observations"),
    ),
    "customer suspend": ("1 --reason r", ("POST /customers/{tsp_id}/suspend",)),
    "customer resume": ("1", ("POST /customers/{tsp_id}/resume",)),
    "customer remove": ("1 --reason r", ("DELETE /customers/{tsp_id}",)),
    "customer enrolment-password": ("1", ("POST /customers/{tsp_id}/enrolment-password",)),
    "customer contact add": ("1 --email a@b.example", ("POST /customers/{tsp_id}/contacts",)),
    "customer contact list": ("1", ("GET /customers/{tsp_id}/contacts",)),
    "customer contact remove": ("1 1 --reason r", ("DELETE /customers/{tsp_id}/contacts/{number}",)),
    "request check": ("1 FILE", ("POST /requests/check",)),
    "request submit": ("1 FILE", ("POST /requests",)),
    "request list": ("", ("GET /requests",)),
    "request show": ("1", ("GET /requests/{number}",)),
    "request approve": (
        "1",
        (
            "POST /requests/{number}/approve",
            "POST /requests/approve",
            "GET /requests/waiting",
            "GET /requests/{number}",
        ),
    ),
    "request refuse": ("1 --reason r", ("POST /requests/{number}/refuse",)),
    "request keys": ("", ("GET /keys/known",)),
    "request withdraw": ("1 --reason r", ("POST /requests/{number}/withdraw",)),
    "certificate list": ("", ("GET /certificates",)),
    "certificate show": ("abc", ("GET /certificates/{serial}",)),
    "certificate revoke": ("abc", ("POST /certificates/{serial}/revoke",)),
    "certificate crl": ("", ("GET /revocation-lists",)),
    "key ban": (f"{'0' * 64} --reason r", ("POST /keys/banned",)),
    "key list": ("", ("GET /keys/banned",)),
    "observation list": ("", ("GET /observations",)),
    "endpoint set": ("1 https://b.example", ("GET /customers/{tsp_id}/endpoint", "PUT /customers/{tsp_id}/endpoint")),
    "endpoint show": ("1", ("GET /endpoints", "GET /customers/{tsp_id}/endpoint")),
    "endpoint submit": ("1 https://b.example", ("POST /endpoints",)),
    "endpoint list": ("", ("GET /endpoints",)),
    "endpoint approve": ("1", ("POST /endpoints/{number}/approve",)),
    "endpoint refuse": ("1 --reason r", ("POST /endpoints/{number}/refuse",)),
    "chain submit": ("1 FILE", ("POST /chains",)),
    "chain list": ("", ("GET /chains",)),
    "chain show": ("1", ("GET /chains/{number}",)),
    "chain endorse": ("1", ("POST /chains/{number}/endorse",)),
    "chain refuse": ("1 --reason r", ("POST /chains/{number}/refuse",)),
    "chain withdraw": ("1 --reason r", ("POST /chains/{number}/withdraw",)),
    "outbound csr": ("1", ("POST /customers/{tsp_id}/outbound-credentials",)),
    "outbound install": ("1 FILE", ("POST /customers/{tsp_id}/outbound-credentials/install",)),
    "outbound show": ("1", ("GET /customers/{tsp_id}/outbound-credentials",)),
    "outbound remove": ("1 --reason r", ("POST /customers/{tsp_id}/outbound-credentials/remove",)),
    "bundle export": ("1 --out OUT", ("POST /customers/{tsp_id}/bundle",)),
    "bundle import": ("FILE", ("POST /bundles",)),
    "service add": ("s --prefix /s --upstream http://127.0.0.1:1", ("POST /services",)),
    "service list": ("", ("GET /services",)),
    "service grants": ("s", ("GET /services/{name}/grants",)),
    "service grant": ("s 1", ("PUT /services/{name}/grants/{tsp_id}",)),
    "service withdraw": ("s 1 --reason r", ("DELETE /services/{name}/grants/{tsp_id}",)),
    "audit verify": ("", ("GET /audit/verify", "POST /audit/compare")),
    "audit export": ("", ("GET /audit/head", "GET /audit")),
    "audit head": ("OUT", ("GET /audit/head",)),
    "person add": ("a@b.example --name A --role operator", ("POST /people",)),
    "person list": ("", ("GET /people",)),
    "person invite": ("1", ("POST /people/{number}/invite",)),
    "person confirm": ("1", ("POST /people/{number}/confirm",)),
    "person refuse": ("1 --reason r", ("POST /people/{number}/refuse",)),
    "person disable": ("1 --reason r", ("POST /people/{number}/disable",)),
    "token add": ("ci --role operator", ("POST /tokens",)),
    "token list": ("", ("GET /tokens",)),
    "token revoke": ("1 --reason r", ("POST /tokens/{number}/revoke",)),
}
# What programs ask for by itself, and a command shows with something else.
WITHIN = {
    "GET /certificates/{serial}/chain": "`certificate show` has it in what it is answered",
    "GET /endpoints/{number}": "`endpoint list` shows all that waits",
    "GET /rotation": "`hub status` shows the hub's own certificates, and `customer show` who is held at an earlier one",
    "GET /people/{number}": "`person list` shows everybody",
    "GET /tokens/{number}": "`token list` shows all",
}


def test_each_command_has_its_operations_and_each_operation_its_command() -> None:
    named = {f"{group} {each}" for group, (_, commands) in GROUPS.items() for each in commands if group != "spoke"}
    named |= {f"{outer} {inner} {each}" for (outer, inner), (_, _, each_) in INNER.items() for each in each_}
    asking = {each for each in named if not each.startswith("spoke ")} - set(ONLY_HERE) | {"probe", "rotate"}
    assert set(ASKS) == asking
    needed = {each for _, operations in ASKS.values() for each in operations}
    assert needed.isdisjoint(WITHIN)
    assert needed | set(WITHIN) == {" ".join(each) for each in ANSWERS}


@pytest.mark.parametrize("command", ASKS)
def test_a_command_begins_with_the_operation_that_the_table_names(
    command: str, bothways: Run, make_csr: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given, operations = ASKS[command]
    (tmp_path / "given").write_bytes(make_csr())
    asked: list[str] = []

    def note(_self: Remote, method: str, path: tuple[object, ...], *_more: Any) -> None:
        found = operation_at(method, "".join(f"/{part}" for part in path))
        asked.append(" ".join(found or ("nothing", method, str(path))))
        raise Unreachable("far enough")

    monkeypatch.setattr(Remote, "_asked", note)
    monkeypatch.setenv("BOTHWAYS_TOKEN", "bothways_ppr_x")
    places = {"FILE": str(tmp_path / "given"), "OUT": str(tmp_path / "out")}
    words = [places.get(each, each) for each in (*command.split(), *given.split())]
    done = bothways(*words, "--hub", "https://portal.hub.example")
    assert (done.returncode, asked) == (3, [operations[0]]), done.stderr
