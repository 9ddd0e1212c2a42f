"""Every command that a text names is there, and who reads the text has it: a customer is told none of the hub's.

A customer has `bothways spoke` and `bothways ask`. The commands of the hub stand where its people alone read: in what
an error says after `look`, which the web leaves out for others, and in the files below.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bothways import errors
from bothways.reference.commands import commands

SOURCE = Path(errors.__file__).parent
NAMED = re.compile(r"(?<![\w./-])bothways ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")
OF_EVERYBODY = {"ask", "demo", "mcp", "spoke"}
WITH_LOOK = {
    name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__
}

# Whose texts the hub's people alone read, and where.
OF_THE_HUB = {
    "cli": "who runs a command has it; but for its files of the spoke",
    "demo": "its terminal has all commands",
    "doctor": "the doctor of the hub looks at its machine; `PROBE` ones are the spoke's",
    "dataplane/publisher.py": "the status of the hub",
    "operations/agreement.py": "the start of a control plane",
    "operations/alone.py": "the start of a hub",
    "operations/audit.py": "AUDIT: `audit verify`",
    "operations/audit_head.py": "AUDIT: `audit verify`, `audit head`",
    "operations/bundles.py": "BUNDLE-05: the operator takes bundles in",
    "operations/expiry.py": "notices to the hub's own contacts",
    "operations/hub.py": "opening a directory",
    "operations/join.py": "`hub join`",
    "operations/keys.py": "`key ban`, and what `hub status` says is banned and in force",
    "operations/new_directory.py": "`hub init`",
    "operations/node_renewal.py": "a node's own log",
    "operations/node_settings.py": "`node run`",
    "operations/reconcile.py": "RESTORE-01: bringing a hub in line after a restore",
    "operations/two_people.py": "who decides",
    "pki/returned.py": "CLIENT: the operator installs what a customer's CA signed",
    "signer/sealed_file.py": "`hub restore`",
    "store/sqlite.py": "opening a directory",
    "store/version.py": "opening a directory",
    "web/api/hub.py": "an operation of the hub",
    "web/nodes.py": "a node's own log",
    "web/pages/templates/audit.html": "the audit",
    "xds/egress_failures.py": "EGRESS: the hub's own services call customers",
}
# What looks like a command in a sentence, and is the program, a name or a header.
PROSE = {"canary", "command instead", "knows none after", "made it", "that made it"}


def texts(source: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield the line of each text that code or a template says, the text, and whether it is what `look` says."""
    if source.suffix == ".html":
        yield 1, source.read_text(), False
        return
    nodes = [*ast.walk(ast.parse(source.read_text()))]
    calls = [each for each in nodes if isinstance(each, ast.Call) and len(each.args) > 1]
    looks = [each.args[1] for each in calls if isinstance(each.func, ast.Name) and each.func.id in WITH_LOOK]
    look = {id(part) for each in looks for part in ast.walk(each)}
    told = {id(each.value) for each in nodes if isinstance(each, ast.Expr)}
    whole: set[int] = set()
    for each in nodes:
        if isinstance(each, ast.JoinedStr):
            whole |= {id(part) for part in each.values}
            parts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in each.values)
            yield each.lineno, "".join(parts), id(each) in look
    for each in nodes:
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in whole | told:
            yield each.lineno, each.value, id(each) in look


SOURCES = [each for suffix in ("*.py", "web/pages/templates/*.html") for each in sorted(SOURCE.rglob(suffix))]


@cache
def found() -> list[tuple[str, int, str, bool]]:
    """Return each command that a text names: in which file, on which line, and whether `look` says it.

    Not made when the file is imported, for each process of the tests imports all files.
    """
    return [
        (str(source.relative_to(SOURCE)), line, words, look)
        for source in SOURCES
        for line, text, look in texts(source)
        for words in NAMED.findall(text)
        if words not in PROSE
    ]


def test_every_command_that_a_text_names_is_there() -> None:
    known = {words for words, _ in commands()}
    known |= {each.rpartition(" ")[0] for each in known}
    begun = [(where, line, words) for where, line, words, _ in found() if not where.startswith("reference/")]
    wrong = [
        (where, line, words)
        for where, line, words in begun
        if not any(" ".join(words.split()[:count]) in known for count in (1, 2, 3))
    ]
    assert wrong == []
    assert len(begun) > 200


def test_a_command_of_the_hub_is_told_to_its_people_alone() -> None:
    hub = [each for each in found() if each[2].partition(" ")[0] not in OF_EVERYBODY]
    wrong = [(where, line, words) for where, line, words, look in hub if not (look or _read_by_the_hub(where))]
    assert wrong == []
    assert {where for where, *_ in hub if where in OF_THE_HUB} | {"cli", "demo", "doctor"} == set(OF_THE_HUB)


def _read_by_the_hub(where: str) -> bool:
    return where in OF_THE_HUB or (where.partition("/")[0] in OF_THE_HUB and not where.startswith("cli/spoke"))


@pytest.mark.parametrize("look", ["", "Look at: bothways chain list"])
def test_what_an_error_says_to_everybody_is_said_first(look: str) -> None:
    error = errors.NotFound("there is no chain 5.", look)
    assert error.said == "there is no chain 5."
    assert str(error) == f"there is no chain 5. {look}".rstrip()
