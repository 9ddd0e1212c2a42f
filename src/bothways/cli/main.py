"""The command `bothways`: which commands there are. Each is imported only when it is called."""

import os
import sys
from typing import NoReturn

import cyclopts

from bothways import __version__
from bothways.cli import exit as codes
from bothways.cli.output import failure, tell
from bothways.errors import BothwaysError

app = cyclopts.App(
    name="bothways",
    version=__version__,
    help="Mutual-TLS connectivity between a hub and its customers, both ways.",
    help_epilogue="Exit codes: 0 ok, 1 a check failed, 2 usage, 3 network, 4 not authorized, 5 expiring soon.",
)

_GROUPS = {
    "hub": (
        "Make a hub, run it, look at it.",
        {"init": "init", "run": "run", "status": "status", "contract": "contract"},
    ),
    "customer": (
        "The hub's customers.",
        {"add": "add", "list": "list_", "show": "show", "suspend": "suspend", "resume": "resume", "remove": "remove"},
    ),
    "request": (
        "Certification requests of customers.",
        {"submit": "submit", "list": "list_", "show": "show", "approve": "approve", "refuse": "refuse"},
    ),
    "certificate": ("Certificates of customers.", {"list": "list_", "show": "show", "revoke": "revoke"}),
    "endpoint": ("Customers' servers, which the hub calls.", {"set": "set_", "show": "show"}),
    "chain": (
        "CA chains of customers' servers.",
        {
            "submit": "submit",
            "list": "list_",
            "show": "show",
            "endorse": "endorse",
            "refuse": "refuse",
            "withdraw": "withdraw",
        },
    ),
    "service": (
        "Services behind the endpoint.",
        {"add": "add", "list": "list_", "grant": "grant", "withdraw": "withdraw"},
    ),
    "spoke": (
        "The customer's side.",
        {"init": "init", "csr": "csr", "install": "install", "call": "call", "listen": "listen"},
    ),
}

app.command("bothways.demo.command:demo", name="demo")
for _name, (_help, _commands) in _GROUPS.items():
    _group = cyclopts.App(name=_name, help=_help)
    for _command, _function in _commands.items():
        _group.command(f"bothways.cli.{_name}:{_function}", name=_command)
    app.command(_group)
app.command("bothways.cli.outbound:probe", name="probe")
app.command("bothways.cli.outbound:rotate", name="rotate")


def main() -> NoReturn:
    """Run the command line, and exit with the code of `cli/exit.py`."""
    try:
        code = app(result_action="return_value")
    except BothwaysError as error:
        failure(error, as_json="--json" in sys.argv)
        code = codes.exit_code(error)
    except KeyboardInterrupt:
        code = codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = codes.OK
    except ImportError as error:
        if (error.name or "").startswith("bothways"):
            raise
        tell(f"{error.name} is not installed, and this command needs it. Install it: pip install 'bothways[hub]'")
        code = codes.USAGE
    sys.exit(code if isinstance(code, int) else codes.OK)
