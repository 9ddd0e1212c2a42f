from collections.abc import Callable, Iterator
from subprocess import CompletedProcess

import cyclopts
import pytest

from bothways.cli.application import app

Run = Callable[..., "CompletedProcess[str]"]
AGREED = {
    "demo": (),
    "hub": ("init", "run", "status", "contract"),
    "customer": ("add", "list", "show", "suspend", "resume", "remove", "enrolment-password"),
    "request": ("submit", "list", "show", "approve", "refuse", "keys"),
    "certificate": ("list", "show", "revoke"),
    "key": ("ban", "list"),
    "endpoint": ("set", "show"),
    "chain": ("submit", "list", "show", "endorse", "refuse", "withdraw"),
    "service": ("add", "list", "grant", "withdraw"),
    "audit": ("verify", "export"),
    "spoke": ("init", "csr", "install", "status", "call", "listen"),
    "probe": (),
    "rotate": (),
}


def commands(parent: cyclopts.App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command of the tree, groups and leaves."""
    for name in parent:
        if not name.startswith("-"):
            yield (*path, name)
            yield from commands(parent[name], (*path, name))


def test_the_commands_are_those_of_the_agreement() -> None:
    agreed = {(group,) for group in AGREED} | {(group, name) for group, names in AGREED.items() for name in names}
    assert agreed <= set(commands(app))


@pytest.mark.parametrize("path", sorted(commands(app)), ids=" ".join)
def test_every_command_has_help(bothways: Run, path: tuple[str, ...]) -> None:
    done = bothways(*path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: bothways {' '.join(path)}" in done.stdout


def test_the_help_shows_the_defaults_that_are_some(bothways: Run) -> None:
    said = bothways("spoke", "run", "--help").stdout + bothways("service", "add", "--help").stdout
    assert "[default: 8443]" in said
    assert "[default: 60]" in said
    for empty in ("False", '""', "None", "()", ""):
        assert f"[default: {empty}]" not in said
