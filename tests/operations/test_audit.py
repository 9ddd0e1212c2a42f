import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import delete, select, update
from tests.conftest import unguarded

import bothways
from bothways.errors import Refused
from bothways.operations.audit import Known, compare_audit, export_audit, sign_head_anew, verify_audit
from bothways.operations.audit_head import HEAD_FILE, sign_head, stored_head
from bothways.operations.hub import Hub
from bothways.operations.requests import refuse_request, submit_request
from bothways.store import schema, schema_statements

SOURCE = Path(bothways.__file__).parent


@pytest.fixture
def written(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> int:
    """The number of lines after a request was submitted and refused."""
    refuse_request(hub, submit_request(hub, issuer, make_csr()).id, "not agreed")
    return verify_audit(hub).lines


def attack(hub: Hub, *statements: object) -> None:
    """Do what the owner of the database file can."""
    with hub.write() as transaction:
        unguarded(transaction.connection)
        for each in statements:
            transaction.connection.execute(each)  # type: ignore[call-overload]


def ids(hub: Hub, *known: Known) -> list[str]:
    return [each.id for each in verify_audit(hub, known).findings]


def exported(hub: Hub) -> bytes:
    sign_head(hub)
    return b"".join(json.dumps(each).encode() + b"\n" for each in [*export_audit(hub), stored_head(hub.directory)])


def test_an_untouched_audit_is_whole_and_contains_each_head_that_it_had(hub: Hub, written: int) -> None:
    first = verify_audit(hub)
    assert (first.whole, first.findings) == (True, ())
    with hub.write() as transaction:
        transaction.audit("hub.backup", "1")
    later = verify_audit(hub, [Known(first.lines, first.hash, "note")])
    assert (later.whole, later.lines) == (True, written + 1)
    assert later.document()["head"] == f"{written + 1}:{later.hash}"


def test_lines_that_are_cut_off_are_found_by_the_signed_head(hub: Hub, written: int) -> None:
    sign_head(hub)
    attack(hub, delete(schema.audit).where(schema.audit.c.sequence == written))
    assert ids(hub) == ["AUDIT-02", "AUDIT-06"]
    with hub.write() as transaction:
        transaction.audit("hub.backup", "another")
    assert ids(hub) == ["AUDIT-02", "AUDIT-06"]


def test_an_older_signed_head_put_back_is_found_by_whoever_knows_a_later_one(hub: Hub, written: int) -> None:
    old = (hub.directory / HEAD_FILE).read_bytes()
    later = verify_audit(hub)
    attack(hub, delete(schema.audit).where(schema.audit.c.sequence == written))
    (hub.directory / HEAD_FILE).write_bytes(old)
    assert ids(hub) == ["AUDIT-06"]
    assert ids(hub, Known(later.lines, later.hash, "note")) == ["AUDIT-02", "AUDIT-06"]


def test_a_changed_line_is_named(hub: Hub, written: int) -> None:
    last = schema.audit.c.sequence == written
    attack(hub, update(schema.audit).where(last).values(actor="somebody else"))
    found = verify_audit(hub).findings
    assert found[0].message.startswith(f"the audit is broken at line {written} of {written}")


def test_a_signed_head_that_is_gone_is_a_finding_until_a_person_signs_anew(hub: Hub, written: int) -> None:
    (hub.directory / HEAD_FILE).unlink()
    assert ids(hub) == ["AUDIT-04"]
    sign_head_anew(hub, "the disk lost it")
    assert ids(hub) == []
    last = list(export_audit(hub))[-1]
    assert (last["sequence"], last["action"], last["detail"]) == (
        written + 1,
        "audit.head",
        {"reason": "the disk lost it"},
    )


def test_a_head_of_another_key_is_a_finding(hub: Hub, written: int) -> None:
    assert written
    attack(hub, update(schema_statements.statement_key).values(key_name="statement-bundle"))
    bundle = hub.keys.signer("statement-bundle").public_key
    der = bundle.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    mine = schema_statements.statement_key.c.purpose == "audit"
    attack(hub, update(schema_statements.statement_key).where(mine).values(public_key=der))
    assert "AUDIT-05" in ids(hub)


def test_an_export_is_compared_with_what_is_there(hub: Hub, written: int) -> None:
    given = exported(hub)
    assert compare_audit(hub, given, "export") == ()
    attack(hub, delete(schema.audit).where(schema.audit.c.sequence == written))
    assert [each.id for each in compare_audit(hub, given, "export")] == ["AUDIT-02", "AUDIT-03"]


def test_a_chain_that_was_computed_anew_differs_from_an_export(hub: Hub, written: int) -> None:
    given = exported(hub)
    attack(hub, delete(schema.audit).where(schema.audit.c.sequence == written))
    with hub.write() as transaction:
        transaction.audit("hub.backup", "2")
    assert [each.id for each in compare_audit(hub, given, "export")] == ["AUDIT-02", "AUDIT-03"]


@pytest.mark.parametrize("given", [b"{}\n", b"no json\n", b'{"head": "{}", "signature": "", "key": ""}\n'])
def test_what_is_no_export_is_refused(hub: Hub, given: bytes) -> None:
    with pytest.raises(Refused):
        compare_audit(hub, given, "export")


UNRECORDED = {
    "expiry.py::record_notices": "a letter that waits is an observation of the clock, and changes no decision",
    "delivery.py::_record": "so is whether a letter was received",
    "tokens.py::authenticate": "when a token was last used; its making and its end are recorded",
    "passkeys.py::prove_passkey": "the key's own counter; that the session began is recorded",
    "sessions.py::visit_of": "when a session was last used; its begin and its end are recorded",
    "idempotency.py::begin": "that a request is under way; what it changes is recorded",
    "idempotency.py::finish": "what was answered to it",
    "idempotency.py::give_up": "that it was not done",
    "upkeep.py::_forget": "a list that everybody who follows has read",
    "renewal.py::set_aside": "that nothing is left to do about a renewal; what was done is recorded",
    "idle.py::_let_go": "what nodes keep loaded: the next call is answered as the last one was",
    "rollout.py::keep_given": "how far a change has come; the change itself is recorded, and what is held back",
    "rollout.py::pass_to_all": "so is that one node has confirmed it",
    "rollout.py::release": "that the clock has it tried again; what a person has tried again is recorded",
}


def names_of(node: ast.AST) -> Iterator[str]:
    """Yield what is called with the transaction below a node, and the methods of the transaction itself."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            name = each.func.attr if isinstance(each.func, ast.Attribute) else getattr(each.func, "id", "")
            given = [*each.args, *(one.value for one in each.keywords)]
            of = each.func.value if isinstance(each.func, ast.Attribute) else None
            if any(isinstance(one, ast.Name) and one.id == "transaction" for one in (*given, of)):
                yield name


def test_whatever_writes_writes_a_line_or_says_why_not() -> None:
    folders = ("operations", "outbound", "dataplane", "web")
    functions: dict[str, list[ast.AST]] = {}
    writers: dict[str, ast.AST] = {}
    for path in (each for folder in folders for each in (SOURCE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions.setdefault(node.name, []).append(node)
                opened = [one for each in ast.walk(node) if isinstance(each, ast.With) for one in each.items]
                if any(ast.unparse(each.context_expr).endswith(".write()") for each in opened):
                    writers[f"{path.name}::{node.name}"] = node

    def records(node: ast.AST, seen: frozenset[str] = frozenset()) -> bool:
        called = set(names_of(node)) - seen
        deeper = (one for name in called for one in functions.get(name, ()))
        return bool(called & {"audit", "audit_all"}) or any(records(each, seen | called) for each in deeper)

    assert len(writers) > 50
    assert {name for name, node in writers.items() if not records(node)} == UNRECORDED.keys()


def test_lines_are_exported_with_all_that_stands_in_them(hub: Hub, written: int) -> None:
    with hub.read() as connection:
        row = connection.execute(select(schema.audit).where(schema.audit.c.sequence == written)).one()
    lines = list(export_audit(hub))
    assert [line["sequence"] for line in lines] == list(range(1, written + 1))
    assert lines[-1] == {
        "sequence": written,
        "at": row.at.isoformat(timespec="microseconds"),
        "actor": "tester",
        "action": "request.refuse",
        "subject": "1",
        "request_id": "",
        "detail": {"customer": "12345678", "reason": "not agreed"},
        "previous": lines[-2]["hash"],
        "hash": row.hash,
    }
    assert list(export_audit(hub, written - 1)) == lines[-1:]
