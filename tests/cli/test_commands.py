import importlib
import inspect

import pytest

from bothways.cli.commands import FUNCTIONS, GROUPS, INNER, MODULES, ONLY_HERE

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
