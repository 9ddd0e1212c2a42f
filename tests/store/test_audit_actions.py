"""The table of the audit's actions: all that the code names, each with what its line says, and nothing without it."""

import ast
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

import bothways
from bothways.operations.rotation import OWN
from bothways.store.audit_actions import ACTIONS, BEFORE, OPTIONAL, REASON, missing
from bothways.store.database import Database
from bothways.store.proposals import Kind

SOURCE = Path(bothways.__file__).parent
DOCS = SOURCE.parents[1] / "docs"
PASSED_ON = {"action"}
"""Parameters by which a helper is given the name; the call that gives it is looked at too."""
TAKES_AWAY = {
    "refuse",
    "remove",
    "withdraw",
    "revoke",
    "disable",
    "retire",
    "suspend",
    "ban",
    "hold",
    "shut",
    "supersede",
    "lock",
}
REPLACES = {
    "set",
    "path",
    "approve",
    "renew",
    "migrate",
    "client",
    "server",
    "control-plane",
    "install",
    "reopen",
    "retry",
}


def spelled(node: ast.expr) -> Iterator[str]:
    """Yield the names that an expression can be."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (*spelled(node.body), *spelled(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        filled = {"kind.value": [each.value for each in Kind], "OWN[role]": [*OWN.values()]}
        texts = [""]
        for part in node.values:
            more = filled[ast.unparse(part.value)] if isinstance(part, ast.FormattedValue) else [*spelled(part)]
            texts = [text + each for text in texts for each in more]
        yield from texts
    else:
        assert ast.unparse(node) in PASSED_ON, ast.unparse(node)


def named() -> set[str]:
    """Return every action that the code writes a line of."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        if path.name in {"audit.py", "database.py"} and path.parent.name == "store":
            continue
        text = path.read_text()
        if "transaction.audit" not in text:
            continue
        for each in ast.walk(ast.parse(text)):
            if not isinstance(each, ast.Call):
                continue
            called = ast.unparse(each.func)
            if called in {"transaction.audit", "Line"}:
                found |= {*spelled(each.args[0])}
            elif called in {"_decide", "_put"}:
                texts = [one.value for one in each.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                found |= {text for text in texts if "." in text and " " not in text}
    return found


def test_who_adds_an_action_says_what_its_line_must_say() -> None:
    assert named() == ACTIONS.keys()


def test_whoever_takes_away_says_why_and_what_is_replaced_is_there() -> None:
    """An approved request replaces nothing, and a chain that is endorsed stands beside the others."""
    for action, carried in ACTIONS.items():
        noun, _, verb = action.partition(".")
        if verb in TAKES_AWAY:
            assert REASON in carried, action
        if verb in REPLACES and noun != "request":
            assert BEFORE in carried, action
    assert {action for action in OPTIONAL if REASON not in ACTIONS[action]} == set()


def test_a_line_that_lacks_something_cannot_be_written(database: Database, now: datetime) -> None:
    assert missing("customer.suspend", {REASON: "they asked for it"}) == frozenset()
    assert missing("customer.suspend", {REASON: " "}) == {REASON}
    assert missing("customer.resume", {REASON: ""}) == frozenset()
    assert missing("customer.resume", {}) == {REASON}
    assert missing("endpoint.set", {"url": "https://a.example"}) == {BEFORE}
    with pytest.raises(ValueError, match=r"customer.remove is to be recorded without kind, organization, reason"):  # noqa: SIM117
        with database.write(now, "tester") as transaction:
            transaction.audit("customer.remove", "1")
    with pytest.raises(KeyError), database.write(now, "tester") as transaction:
        transaction.audit("customer.rename", "1")


def test_the_documentation_has_the_table() -> None:
    page = (DOCS / "audit.md").read_text()
    rows = [
        f"| `{action}` | {', '.join(f'`{each}`' for each in sorted(carried)) or 'no more'} |"
        for action, carried in sorted(ACTIONS.items())
    ]
    assert "\n".join(rows) in page
