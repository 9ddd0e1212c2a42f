import importlib

import pytest

from bothways.cli.commands import FUNCTIONS, GROUPS, INNER, MODULES

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
