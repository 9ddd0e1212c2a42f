import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bothways.store.audit_search import ALL, AuditFilter, newest_first, oldest_first
from bothways.store.database import Database

Found = Callable[[AuditFilter], list[int]]
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATE = START + timedelta(days=30)


@pytest.fixture
def found(database: Database) -> Found:
    """Return the numbers of the lines that are looked for, oldest first, in an audit of nine."""
    lines: list[tuple[datetime, str, str, str, dict[str, object]]] = [
        (START, "ann", "customer.add", "7", {"kind": "issuer", "organization": "First Bank"}),
        (START + timedelta(hours=1), "ann", "request.submit", "7", {"customer": "8", "fingerprint": "1a"}),
        (START + timedelta(hours=2), "hub", "probe", "7", {"address": "a:443", "ok": True, "seen": ""}),
        (START + timedelta(days=5), "bob", "person.lock", "7", {"customer": None, "email": "b@x", "reason": "ten"}),
        (START + timedelta(days=6), "bob", "customer.suspend", "8", {"reason": '"customer": "7" asked'}),
        (START + timedelta(days=6), "hub", "certificate.issue", "1a", {"customer": "7"}),
        (LATE, "ann", "chain.refuse", "3", {"customer": "7", "fingerprint": "1a", "reason": "nul \0, \ud800"}),
        # The clock of another control plane is behind.
        (LATE - timedelta(hours=11), "hub", "hub.shut", "PPR", {"reason": "open"}),
        (LATE + timedelta(days=9), "ann", "hub.backup", "7", {}),
    ]
    for at, actor, action, subject, detail in lines:
        with database.write(at, actor) as transaction:
            transaction.audit(action, subject, **detail)

    def look(wanted: AuditFilter) -> list[int]:
        with database.read() as connection:
            numbers = [each["sequence"] for each in oldest_first(connection, wanted)]
            back = [each["sequence"] for each in newest_first(connection, wanted, 0, 99)]
        assert back == numbers[::-1]
        return numbers

    return look


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (ALL, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (AuditFilter(actor="ann"), [1, 2, 7, 9]),
        (AuditFilter(action="hub.shut"), [8]),
        (AuditFilter(customer="7"), [1, 3, 6, 7]),
        (AuditFilter(customer="8"), [2, 5]),
        (AuditFilter(customer="PPR"), []),
        (AuditFilter(actor="hub", action="probe"), [3]),
        (AuditFilter(actor="hub", customer="7"), [3, 6]),
        (AuditFilter(since=START + timedelta(hours=1)), [2, 3, 4, 5, 6, 7, 8, 9]),
        (AuditFilter(until=START + timedelta(hours=1)), [1]),
        (AuditFilter(since=LATE), [7, 9]),
        (AuditFilter(until=LATE), [1, 2, 3, 4, 5, 6, 8]),
        (AuditFilter(since=LATE - timedelta(hours=12), until=LATE + timedelta(hours=1)), [7, 8]),
        (AuditFilter(since=LATE + timedelta(days=10)), []),
        (AuditFilter(until=START), []),
        (AuditFilter(actor="ann", since=START + timedelta(days=1)), [7, 9]),
        (AuditFilter(since=datetime.min.replace(tzinfo=UTC), until=datetime.max.replace(tzinfo=UTC)), [*range(1, 10)]),
    ],
)
def test_lines_are_found_that_are_all_of_what_is_named(found: Found, wanted: AuditFilter, numbers: list[int]) -> None:
    assert found(wanted) == numbers


def test_a_page_goes_on_where_the_last_one_ended(database: Database, found: Found) -> None:
    wanted = AuditFilter(actor="ann")
    assert found(wanted)
    with database.read() as connection:
        pages = [[each["sequence"] for each in newest_first(connection, wanted, before, 2)] for before in (0, 7, 1)]
        rest = [[each["sequence"] for each in oldest_first(connection, wanted, 2, limit)] for limit in (None, 1)]
    assert (pages, rest) == ([[9, 7], [2, 1], []], [[7, 9], [7]])


def test_a_line_is_whole(database: Database, found: Found) -> None:
    assert found(AuditFilter(action="person.lock")) == [4]
    with database.read() as connection:
        [line] = newest_first(connection, AuditFilter(action="person.lock"), 0, 2)
    assert (line["actor"], line["at"], json.loads(line["detail"])["email"]) == ("bob", START + timedelta(days=5), "b@x")
