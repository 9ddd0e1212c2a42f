from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bothways.store import authorities, revocation_lists
from bothways.store.database import Database
from bothways.store.revocation_lists import StoredList
from bothways.store.schema import revocation_list


@pytest.fixture
def record(authority: Any, now: datetime) -> StoredList:
    """The first list of a stored CA."""
    return StoredList(authority[1].id, 1, now, now + timedelta(days=30), 2, b"list")


def test_the_newest_list_of_each_ca_is_current(database: Database, record: StoredList, now: datetime) -> None:
    second = replace(record, number=2, der=b"second")
    with database.write(now, "tester") as transaction:
        assert [revocation_lists.add(transaction, each) for each in (record, second)] == [True, True]
    with database.read() as connection:
        assert revocation_lists.current(connection, record.authority_id) == second
        assert revocation_lists.current(connection, record.authority_id + 1) is None


def test_old_lists_make_room(database: Database, record: StoredList, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        for number in range(1, 13):
            revocation_lists.add(transaction, replace(record, number=number))
        numbers = transaction.connection.execute(select(revocation_list.c.number)).scalars()
        assert sorted(numbers) == [*range(3, 13)]


@pytest.mark.parametrize("number", [1, 2])
def test_numbers_only_grow(database: Database, record: StoredList, now: datetime, number: int) -> None:
    second = replace(record, number=2)
    with database.write(now, "tester") as transaction:
        revocation_lists.add(transaction, second)
        assert revocation_lists.add(transaction, replace(record, number=number, der=b"late")) is False
    with database.read() as connection:
        assert revocation_lists.current(connection, record.authority_id) == second


def test_a_floor_is_never_lowered(
    database: Database, now: datetime, authority: tuple[object, authorities.Authority]
) -> None:
    number = authority[1].id
    with database.write(now, "tester") as transaction:
        assert revocation_lists.next_number(transaction.connection, number) == 1
        revocation_lists.raise_floor(transaction, number, 700)
        revocation_lists.raise_floor(transaction, number, 30)
        assert revocation_lists.next_number(transaction.connection, number) == 700
