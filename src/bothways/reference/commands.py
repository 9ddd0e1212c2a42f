"""The page of the command line: every command with all its options, from the functions themselves."""

import inspect
from collections.abc import Iterator
from typing import Any

import cyclopts

from bothways.cli import exit as codes
from bothways.cli.application import app
from bothways.reference import MADE

_HIDDEN = {"--help", "-h", "--version"}
MEANINGS = {
    "OK": "all is well",
    "FAILED": "a check failed, or a rule refuses what was given",
    "USAGE": "wrong usage: an option, a name that nothing has, a set-up that does not allow it",
    "NETWORK": "the network: a name that does not resolve, a port in use, a peer that does not answer",
    "NOT_AUTHORIZED": "the other side answered, and refused who asks",
    "EXPIRING": "all is right, and something expires soon",
    "INTERRUPTED": "Ctrl-C, as shells have it: 128 and the number of the signal",
}


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its words, `spoke check`, and its part of cyclopts."""
    yield from _below("", app)


def commands_page() -> str:
    """Return the page."""
    parts = [
        f"# All commands\n\nEvery command of `bothways`, as its `--help` has it. {MADE}\n",
        (
            "With `--json` a command prints one JSON document on stdout and nothing else; prose goes to stderr. "
            "Without a terminal nothing is asked. [Exit codes](reference-exit-codes.md) are the same everywhere.\n"
        ),
    ]
    for words, command in commands():
        parts.append(_command(words, command))
    return "\n".join(parts)


def exit_codes_page() -> str:
    """Return the page of exit codes, with the errors that lead to each."""
    lines = [
        f"# Exit codes\n\nWhat every command ends with; they are part of the agreement with users. {MADE}\n",
        "| code | name | meaning | errors |",
        "| --- | --- | --- | --- |",
    ]
    for name, meaning in MEANINGS.items():
        code = getattr(codes, name)
        errors = ", ".join(f"`{kind.__name__.lower()}`" for kind, each in codes.CODES.items() if each == code)
        lines.append(f"| `{code}` | {name.lower().replace('_', ' ')} | {meaning} | {errors} |")
    lines.append(
        "\nThe errors are what `--json` names under `error`. `spoke check` says more of its own: [the "
        "doctor](check.md)."
    )
    return "\n".join(lines) + "\n"


def _below(words: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name in group:
        if name in _HIDDEN:
            continue
        inner = group[name]
        path = f"{words} {name}".strip()
        if inner.default_command:
            yield path, inner
        yield from _below(path, inner)


def _command(words: str, command: Any) -> str:
    arguments = [each for each in command.assemble_argument_collection() if each.show]
    usage = " ".join([f"bothways {words}", *(_used(each) for each in arguments if each.required)])
    lines = [
        f"## `bothways {words}`",
        "",
        inspect.getdoc(command.default_command) or "",
        "",
        f"```text\n{usage}\n```",
        "",
    ]
    if arguments:
        lines += ["| argument | meaning | default |", "| --- | --- | --- |"]
        lines += [_row(each) for each in arguments]
        lines.append("")
    return "\n".join(lines)


def _used(argument: Any) -> str:
    return _positional(argument) or f"{argument.name} {argument.name.lstrip('-').upper()}"


def _positional(argument: Any) -> str:
    parameter = argument.field_info
    fixed = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        inspect.Parameter.VAR_POSITIONAL,
    )
    return argument.name.lstrip("-").upper() if parameter.kind in fixed else ""


def _row(argument: Any) -> str:
    choices = argument.get_choices()
    said = (argument.parameter.help or "").replace("|", "\\|").replace("\n", " ")
    said = f"{said} One of {', '.join(f'`{each}`' for each in choices)}.".strip() if choices else said
    given = argument.field_info.default
    shown = (
        "" if given in (inspect.Parameter.empty, None, "", False) or given is cyclopts.UNSET else f"`{_plain(given)}`"
    )
    default = "required" if argument.required else shown
    names = _positional(argument) or ", ".join(f"`{each}`" for each in argument.names)
    return f"| {names} | {said} | {default} |"


def _plain(value: object) -> str:
    return str(getattr(value, "value", value))
