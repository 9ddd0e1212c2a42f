"""The tree of commands: which there are, and where each stands. Each is imported only when it is called."""

import inspect
import itertools
import sys
from enum import Enum

import cyclopts

from bothways import __version__
from bothways.cli.commands import ALONE, EXIT_CODES, FUNCTIONS, GROUPS, INNER, MODULES, ONLY_HERE, TAGLINE
from bothways.errors import Unusable

HELP = {"--help", "-h"}
ELSEWHERE = "--hub"


def _shown(default: object) -> str | None:
    """Return a default as the help shows it: nothing for what is off, empty or left out."""
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, list | tuple | set | frozenset):
        return ", ".join(filter(None, map(_shown, default))) or None
    return str(default) if default or (default == 0 and default is not False) else None


app = cyclopts.App(
    name="bothways",
    version=__version__,
    help=TAGLINE,
    # As it is: what reads Markdown takes a sixth of the time that the overview may take.
    help_format="plaintext",
    help_epilogue=EXIT_CODES,
    default_parameter=cyclopts.Parameter(show_default=_shown),
)

for _name, (_place, _line) in ALONE.items():
    app.command(_place, name=_name, help=_line)
for _name, (_help, _commands) in GROUPS.items():
    _group = cyclopts.App(name=_name, help=_help)
    if _name == "hub":
        _group.command(
            "bothways.cli.node:envoy_bootstrap",
            name="envoy-bootstrap",
            help="Put a remote Envoy on record, and write all files that it needs.",
        )
    for _command, _line in _commands.items():
        _module = MODULES.get((_name, _command), _name)
        _group.command(f"bothways.cli.{_module}:{FUNCTIONS.get(_command, _command)}", name=_command, help=_line)
    for (_outer, _inner_name), (_inner_help, _module, _functions) in INNER.items():
        if _outer == _name:
            _inner = cyclopts.App(name=_inner_name, help=_inner_help)
            for _command, (_function, _line) in _functions.items():
                _inner.command(f"bothways.cli.{_module}:{_function}", name=_command, help=_line)
            _group.command(_inner)
    app.command(_group)


def say_all() -> None:
    """Let the help of a command be all that its function says, and not the line of the overview alone."""
    _, apps, _ = app.parse_commands([each for each in sys.argv[1:] if each not in HELP])
    if command := apps[-1].default_command:
        apps[-1].help, apps[-1].help_format = inspect.getdoc(command), "markdown"


def require_askable() -> None:
    """Raise `Unusable` if a hub elsewhere is named for what no hub elsewhere does."""
    named = itertools.takewhile(lambda word: word != "--", sys.argv[1:])
    if not any(word == ELSEWHERE or word.startswith(f"{ELSEWHERE}=") for word in named):
        return
    words, apps, _ = app.parse_commands(sys.argv[1:])
    command = apps[-1].default_command
    if command is None or "where" in inspect.signature(command).parameters:
        return
    name = " ".join(words)
    why = ONLY_HERE.get(name, "it works on the files of a customer, or of this machine")
    raise Unusable(f"bothways {name} takes no {ELSEWHERE}: {why}. Run it on the machine with the directory.")
