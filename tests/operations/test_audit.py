from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update

from bothways.operations.audit import export_audit, verify_audit
from bothways.operations.hub import Hub
from bothways.operations.requests import refuse_request, submit_request
from bothways.store import schema


@pytest.fixture
def written(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> int:
    """The number of lines after a request was submitted and refused."""
    refuse_request(hub, submit_request(hub, issuer, make_csr()).id, "not agreed")
    return verify_audit(hub).lines


def test_an_untouched_audit_is_whole_and_contains_each_head_that_it_had(hub: Hub, written: int) -> None:
    first = verify_audit(hub)
    assert (first.whole, first.broken_at, first.missing) == (True, None, False)
    with hub.write() as transaction:
        transaction.audit("test", "1")
    later = verify_audit(hub, (first.lines, first.hash))
    assert (later.whole, later.lines) == (True, written + 1)
    assert later.document()["head"] == f"{written + 1}:{later.hash}"


def test_lines_that_are_cut_off_are_found_by_a_known_head_alone(hub: Hub, written: int) -> None:
    head = verify_audit(hub)
    with hub.write() as transaction:
        transaction.connection.execute(delete(schema.audit).where(schema.audit.c.sequence == written))
    assert verify_audit(hub).whole
    cut = verify_audit(hub, (head.lines, head.hash))
    assert (cut.whole, cut.missing, cut.broken_at) == (False, True, None)
    with hub.write() as transaction:
        transaction.audit("another", "line")
    assert verify_audit(hub, (head.lines, head.hash)).missing


def test_a_changed_line_is_named(hub: Hub, written: int) -> None:
    with hub.write() as transaction:
        last = schema.audit.c.sequence == written
        transaction.connection.execute(update(schema.audit).where(last).values(actor="somebody else"))
    assert verify_audit(hub).broken_at == written


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
        "detail": {"customer": "12345678", "reason": "not agreed"},
        "previous": lines[-2]["hash"],
        "hash": row.hash,
    }
    assert list(export_audit(hub, written - 1)) == lines[-1:]
