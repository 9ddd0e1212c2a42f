"""What is looked through in each round is what is still to come, found by its index."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from bothways.registry.customer import Customer
from bothways.store import renewals
from bothways.store.database import Database
from bothways.store.schema import authority, certificate, renewal, request

DAY = timedelta(days=1)


@pytest.fixture
def certified(database: Database, customer: Customer, now: datetime) -> Database:
    """A database with six certificates: 0 to 2, and those that renew them, 3 to 5, of which 5 was never seen."""
    with database.write(now, "tester") as transaction:
        signer = transaction.insert(
            authority, role="issuing", certificate=b"", key_name="issuing", created_at=now, retired_at=None
        )
        for number in range(6):
            made = {"tsp_id": customer.tsp_id, "der": b"", "state": "approved", "submitted_at": now}
            named = {"fingerprint": f"{number}", "spki_pin": f"{number}"}
            transaction.connection.execute(insert(request).values(id=number, **made, **named))
            seen = None if number == 5 else now - DAY
            values = {"tsp_id": customer.tsp_id, "unsigned": b"", "der": b"", "first_seen_at": seen, "not_before": now}
            dates = {"not_after": now + 10 * DAY, "authority_id": signer, "uri_id": f"urn:{number}"}
            own = {"serial": f"{number}", "request_id": number, "fingerprint": f"{number}"}
            transaction.connection.execute(insert(certificate).values(**values, **dates, **own))
        for number in range(3):
            renewals.renew(transaction, number + 3, f"{number}")
    return database


def change(database: Database, now: datetime, serial: str, **values: object) -> None:
    with database.write(now, "tester") as transaction:
        changed = update(certificate).where(certificate.c.serial == serial).values(**values)
        transaction.connection.execute(changed)


def look(database: Database, now: datetime, serial: str | None = None) -> tuple[list[str], bool]:
    """Return which certificates will be superseded, and whether renewals that are over are looked through."""
    with database.read() as connection:
        return list(renewals.renewed(connection, now, serial)), renewals.some_over(connection, now)


def open_ones(database: Database) -> set[int]:
    with database.read() as connection:
        return set(connection.scalars(select(renewal.c.request_id).where(renewal.c.over_at.is_(None))))


def test_one_whose_old_certificate_is_in_force_is_never_set_aside(certified: Database, now: datetime) -> None:
    assert look(certified, now) == (["0", "1"], False)
    assert look(certified, now, "1") == (["1"], False)
    with certified.write(now, "tester") as transaction:
        renewals.set_aside(transaction)
    assert open_ones(certified) == {3, 4, 5}


def test_one_whose_old_certificate_was_revoked_or_has_expired_is_set_aside_for_good(
    certified: Database, now: datetime
) -> None:
    change(certified, now, "0", revoked_at=now, revoked_reason="superseded")
    change(certified, now, "2", not_after=now)
    assert look(certified, now) == (["1"], True)
    with certified.write(now, "tester") as transaction:
        renewals.set_aside(transaction)
    assert (look(certified, now), open_ones(certified)) == ((["1"], False), {4})
    with certified.read() as connection:
        assert renewals.renewed_by(connection, 3) == "0"


def test_what_is_said_anew_is_looked_through_again(certified: Database, now: datetime) -> None:
    change(certified, now, "0", revoked_at=now, revoked_reason="superseded")
    with certified.write(now, "tester") as transaction:
        renewals.set_aside(transaction)
        renewals.renew(transaction, 3, "2")
    assert (look(certified, now), open_ones(certified)) == ((["1", "2"], False), {3, 4, 5})


def test_each_look_goes_by_the_index_of_those_that_are_open(certified: Database, now: datetime) -> None:
    asked: list[tuple[str, Any]] = []

    def noted(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        asked.append((statement, tuple(parameters)))

    with certified.read() as connection:
        event.listen(connection, "before_cursor_execute", noted)
        renewals.renewed(connection, now)
        renewals.some_over(connection, now)
    with certified.read() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert "renewal USING INDEX renewals_open" in plan[0].detail
            assert not [each.detail for each in plan[1:] if each.detail.startswith("SCAN")]
    assert len(asked) == 2
