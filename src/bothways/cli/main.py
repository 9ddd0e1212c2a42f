"""The command `bothways`: runs what was asked for, and exits with the code of `cli/exit.py`. Imports what it needs.

The overview alone is asked for most, by people who look around, and needs nothing of the library that reads arguments.
"""

import io
import itertools
import os
import shutil
import sys
from typing import NoReturn

from bothways.cli import exit as codes
from bothways.cli.overview import overview
from bothways.errors import BothwaysError

_OVERVIEW: tuple[list[str], ...] = ([], ["--help"], ["-h"])
_TRACEBACK = "BOTHWAYS_TRACEBACK"


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
    if sys.argv[1:] in _OVERVIEW:
        print(overview(shutil.get_terminal_size().columns), flush=True)  # noqa: T201 - what `output` imports is not needed
        return codes.OK
    from bothways.cli.application import HELP, app, require_askable, say_all  # noqa: PLC0415 - as the first lines say
    from bothways.cli.output import failure, tell  # noqa: PLC0415 - as above

    try:
        if HELP.intersection(sys.argv[1:]):
            say_all()
        else:
            require_askable()
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


def _unexpected(error: Exception) -> int:
    from bothways.cli.output import result, tell  # noqa: PLC0415 - as above

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
