from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from bothways.registry.contact import ContactKind
from bothways.store import contacts, notices
from bothways.store.database import Database
from bothways.store.notices import StoredNotice


@pytest.fixture
def stored(database: Database, now: datetime) -> StoredNotice:
    """A notice that waits."""
    with database.write(now, "tester") as transaction:
        contact = contacts.add(transaction, None, ContactKind.EMAIL, "a@hub.example", "")
        ends_at = now + timedelta(days=7)
        record = StoredNotice("n-1", contact.id, "chain", "5", 7, ends_at, "It ends.", now, 0, now)
        notices.add(transaction, record)
    return record


def test_a_notice_waits_until_it_is_delivered(database: Database, stored: StoredNotice, now: datetime) -> None:
    with database.read() as connection:
        assert notices.waiting(connection, now) == (stored,)
        assert notices.told(connection) == {(stored.contact_id, "chain", "5", 7)}
    with database.write(now, "tester") as transaction:
        notices.failed(transaction, "n-1", "refused", now + timedelta(minutes=1))
        assert notices.waiting(transaction.connection, now) == (
            replace(stored, attempts=1, error="refused", attempt_at=now + timedelta(minutes=1)),
        )
        notices.delivered(transaction, "n-1")
        assert notices.waiting(transaction.connection, now) == ()
        assert len(notices.told(transaction.connection)) == 1


def test_one_threshold_is_told_once(database: Database, stored: StoredNotice, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        notices.add(transaction, replace(stored, id="n-2", threshold_days=1))
    with pytest.raises(IntegrityError), database.write(now, "tester") as transaction:
        notices.add(transaction, replace(stored, id="n-3"))


def test_what_ended_long_ago_and_who_was_removed_are_told_nothing(
    database: Database, stored: StoredNotice, now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        assert notices.waiting(transaction.connection, stored.ends_at) == ()
        contacts.remove(transaction, None, stored.contact_id)
        assert notices.waiting(transaction.connection, now) == ()
