"""The command `bothways`: which commands there are. Each is imported only when it is called."""

import inspect
import io
import itertools
import os
import sys
from typing import NoReturn

import cyclopts

from bothways import __version__
from bothways.cli import exit as codes
from bothways.cli.commands import FUNCTIONS, GROUPS, INNER, MODULES, ONLY_HERE
from bothways.cli.output import failure, result, tell
from bothways.errors import BothwaysError, Unusable

_HELP = {"--help", "-h"}
_TRACEBACK = "BOTHWAYS_TRACEBACK"
_ELSEWHERE = "--hub"

app = cyclopts.App(
    name="bothways",
    version=__version__,
    help="Mutual-TLS connectivity between a hub and its customers, both ways.",
    # As it is: what reads Markdown takes a sixth of the time that the overview may take.
    help_format="plaintext",
    help_epilogue="Exit codes: 0 ok, 1 a check failed, 2 usage, 3 network, 4 not authorized, 5 expiring soon.",
)

app.command("bothways.demo.command:demo", name="demo", help="Two hubs, two customers, every step, for real.")
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
app.command("bothways.cli.ask:ask", name="ask", help="Answer a question out of the documentation, without a network.")
app.command("bothways.cli.mcp:mcp", name="mcp", help="Serve an assistant over MCP, read-only.")
app.command(
    "bothways.cli.outbound:probe", name="probe", help="Call a customer's server once, and record what was seen."
)
app.command("bothways.cli.outbound:rotate", name="rotate", help="Renew the hub's client certificate towards customers.")


def main() -> NoReturn:
    """Run the command line, and exit with the code of `cli/exit.py`."""
    for stream in (sys.stdout, sys.stderr):
        # An argument, a file name or an answer may hold what the terminal's encoding has not.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run()
    except KeyboardInterrupt:
        code = codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _discard_output()
        code = codes.OK
    except Exception as error:  # the last resort: a sentence in place of a traceback
        if os.environ.get(_TRACEBACK) == "1":
            raise
        code = _unexpected(error)
    sys.exit(code)


def _run() -> int:
    try:
        if _HELP.intersection(sys.argv[1:]):
            _say_all()
        else:
            _require_askable()
        code = app(sys.argv[1:], result_action="return_value")
    except BothwaysError as error:
        failure(error, as_json=_as_json())
        return codes.exit_code(error)
    except ImportError as error:
        # What a command could not import arrives wrapped by the library that imports commands.
        missing = error.__cause__ if isinstance(error.__cause__, ImportError) else error
        if not missing.name or missing.name.startswith("bothways"):
            raise
        extra = "mcp" if missing.name.startswith("mcp") else "hub"
        tell(f"{missing.name} is not installed, and this command needs it. Install it: pip install 'bothways[{extra}]'")
        return codes.USAGE
    return code if isinstance(code, int) else codes.OK


def _say_all() -> None:
    """Let the help of a command be all that its function says, and not the line of the overview alone."""
    _, apps, _ = app.parse_commands([each for each in sys.argv[1:] if each not in _HELP])
    if command := apps[-1].default_command:
        apps[-1].help, apps[-1].help_format = inspect.getdoc(command), "markdown"


def _require_askable() -> None:
    """Raise `Unusable` if a hub elsewhere is named for what no hub elsewhere does."""
    named = itertools.takewhile(lambda word: word != "--", sys.argv[1:])
    if not any(word == _ELSEWHERE or word.startswith(f"{_ELSEWHERE}=") for word in named):
        return
    words, apps, _ = app.parse_commands(sys.argv[1:])
    command = apps[-1].default_command
    if command is None or "where" in inspect.signature(command).parameters:
        return
    name = " ".join(words)
    why = ONLY_HERE.get(name, "it works on the files of a customer, or of this machine")
    raise Unusable(f"bothways {name} takes no {_ELSEWHERE}: {why}. Run it on the machine with the directory.")


def _unexpected(error: Exception) -> int:
    words = " ".join(itertools.takewhile(lambda word: word.isalpha(), sys.argv[1:3]))
    said = " ".join(str(error).split()) or "no message"
    message = f"bothways {words} failed, which it should not: {type(error).__name__}: {said}."
    hint = f"To see where, run it again with {_TRACEBACK}=1 in the environment; then report it, without keys."
    try:
        if _as_json():
            result({"error": "unexpected", "detail": message}, "", as_json=True)
        tell(f"{message} {hint}")
    except OSError:
        # The disk behind our output is full, or the like: then there is nobody to tell.
        _discard_output()
    return codes.exit_code(error)


def _discard_output() -> None:
    """Let the interpreter not try to flush, at its end, what could not be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _as_json() -> bool:
    return "--json" in sys.argv
