import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from tests.conftest import unguarded

from bothways.store import audit, schema
from bothways.store.audit import Line
from bothways.store.database import Database

LINES = 5


@pytest.fixture
def chain(database: Database, now: datetime) -> Database:
    """A database with five lines in its audit."""
    for number in range(LINES):
        with database.write(now + timedelta(seconds=number), "tester") as transaction:
            transaction.audit("customer.add", str(number), kind="issuer", organization="First Bank")
    return database


def broken_after(database: Database, *statements: Any) -> int | None:
    with database.write(datetime.now().astimezone(), "attacker") as transaction:
        unguarded(transaction.connection)
        for each in statements:
            transaction.connection.execute(each)
    with database.read() as connection:
        return audit.first_broken(connection)


def line(sequence: int) -> Any:
    return schema.audit.c.sequence == sequence


def test_a_line_says_when_who_what_to_whom_and_how(database: Database, now: datetime) -> None:
    with database.write(now, "alice", "cli-1a2b") as transaction:
        transaction.audit("chain.refuse", "3", customer="12345678", fingerprint="1a", reason="not the bank's")
    with database.read() as connection:
        row = connection.execute(select(schema.audit)).one()
    assert row.request_id == "cli-1a2b"
    assert (row.sequence, row.at, row.actor, row.action, row.subject) == (1, now, "alice", "chain.refuse", "3")
    assert json.loads(row.detail) == {
        "customer": "12345678",
        "fingerprint": "1a",
        "reason": "not the bank's",
    }


def test_each_line_carries_the_hash_of_the_one_before(chain: Database) -> None:
    with chain.read() as connection:
        rows = connection.execute(select(schema.audit).order_by(schema.audit.c.sequence)).all()
    assert [row.sequence for row in rows] == [1, 2, 3, 4, 5]
    assert [row.previous for row in rows] == ["0" * 64, *(row.hash for row in rows[:-1])]
    assert len({row.hash for row in rows}) == LINES


def test_many_lines_at_once_continue_the_chain_as_one_by_one(chain: Database, now: datetime) -> None:
    lines = [Line("request.approve", str(number), {"customer": "1", "serial": "1a"}) for number in range(3)]
    with chain.write(now, "alice") as transaction:
        transaction.audit_all(lines)
        transaction.audit_all([])
        transaction.audit("customer.add", "3", kind="issuer", organization="First Bank")
    with chain.read() as connection:
        rows = connection.execute(select(schema.audit).where(schema.audit.c.sequence > LINES)).all()
        assert audit.first_broken(connection) is None
    assert [(row.sequence, row.actor, row.subject) for row in rows] == [
        (sequence, "alice", subject) for sequence, subject in zip((6, 7, 8, 9), "0123", strict=True)
    ]


def test_an_empty_audit_and_an_untouched_one_hold(chain: Database) -> None:
    assert broken_after(chain) is None
    assert broken_after(chain, delete(schema.audit)) is None


def test_a_moment_is_the_same_in_whatever_time_zone_it_was_given(database: Database, now: datetime) -> None:
    with database.write(now.astimezone(timezone(timedelta(hours=5, minutes=30))), "tester") as transaction:
        transaction.audit("hub.backup", "1")
    with database.read() as connection:
        assert audit.first_broken(connection) is None


@pytest.mark.parametrize(
    "change",
    [
        {"at": datetime(2026, 11, 23, 12, 0).astimezone()},
        {"actor": "somebody else"},
        {"action": "customer.remove"},
        {"subject": "9"},
        {"request_id": "cli-1"},
        {"detail": "{}"},
        {"previous": "f" * 64},
        {"hash": "f" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_edit_of_any_column_is_found(chain: Database, change: dict[str, Any]) -> None:
    assert broken_after(chain, update(schema.audit).where(line(3)).values(**change)) == 3


def test_an_edit_whose_hash_was_computed_anew_is_found_at_the_next_line(chain: Database) -> None:
    with chain.read() as connection:
        [forged] = [each for each in audit.every(connection) if each["sequence"] == 3]
    forged["actor"] = "somebody else"
    del forged["hash"]
    text = json.dumps(forged | {"at": forged["at"].astimezone(UTC).isoformat(timespec="microseconds")}, sort_keys=True)
    forged["hash"] = sha256(text.encode()).hexdigest()
    assert broken_after(chain, update(schema.audit).where(line(3)).values(**forged)) == 4
    # To the end of the chain, where it is whole again: only by who knows a later line.
    assert broken_after(chain, delete(schema.audit).where(schema.audit.c.sequence > 3)) is None


@pytest.mark.parametrize("sequence", [1, 2, 4])
def test_a_line_taken_out_is_found(chain: Database, sequence: int) -> None:
    assert broken_after(chain, delete(schema.audit).where(line(sequence))) == sequence


def test_a_line_taken_out_is_found_even_if_the_others_are_numbered_anew(chain: Database) -> None:
    closed = [update(schema.audit).where(line(number)).values(sequence=number - 1) for number in (4, 5)]
    assert broken_after(chain, delete(schema.audit).where(line(3)), *closed) == 3


def test_two_lines_that_changed_places_are_found(chain: Database) -> None:
    swap = [
        update(schema.audit).where(line(before)).values(sequence=after) for before, after in ((2, 99), (3, 2), (99, 3))
    ]
    assert broken_after(chain, *swap) == 2


def test_a_line_put_at_the_end_is_found_unless_it_continues_the_chain(chain: Database, now: datetime) -> None:
    forged = {"at": now, "actor": "a", "action": "b", "subject": "c", "request_id": "", "detail": "{}"}
    end = insert(schema.audit).values(sequence=6, previous="0" * 64, hash="e" * 64, **forged)
    assert broken_after(chain, end) == 6


def test_a_line_is_known_by_its_number_and_its_hash(chain: Database) -> None:
    with chain.read() as connection:
        sequence, digest = audit.last(connection)
        assert audit.has(connection, sequence, digest)
        assert not audit.has(connection, sequence - 1, digest)
        assert not audit.has(connection, sequence, "0" * 64)
