"""What stands beside each argument in the help of its command."""

import re
from functools import cache

from cyclopts import Argument

from bothways.cli.asking import Where
from bothways.reference.commands import commands


@cache
def arguments() -> list[tuple[str, Argument]]:
    """Return each argument of each command, by its name.

    Not made when the file is imported, for each process of the tests imports all files.
    """
    return [
        (f"{words} {argument.names[0]}", argument)
        for words, command in commands()
        for argument in command.assemble_argument_collection()
        # Not one, but those that say which hub is meant.
        if argument.hint is not Where
    ]


def test_each_argument_says_what_it_means_in_a_sentence() -> None:
    assert len(arguments()) > 400
    wrong = [name for name, each in arguments() if not re.search(r"[.)]$", (each.parameter.help or "").strip())]
    assert wrong == []


def test_no_option_is_there_that_nobody_thought_of() -> None:
    """For each list cyclopts makes an option that empties it."""
    assert [name for name, each in arguments() if any(other.startswith("--empty-") for other in each.names)] == []


def test_what_a_command_says_of_itself_ends_with_a_sentence() -> None:
    wrong = []
    for words, command in commands():
        text = (command.default_command.__doc__ or "").strip()
        if not text.endswith((".", ")", "`")):
            wrong.append((words, text[-60:]))
    assert wrong == []
