from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from bothways.registry.customer import Customer
from bothways.store import schema
from bothways.store.database import Database
from bothways.store.instant import Instant

MOMENTS = [
    datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC),
    datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=-11))),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_comes_back_as_the_same_moment_in_utc(
    database: Database, customer: Customer, moment: datetime
) -> None:
    with database.write(moment, "tester") as transaction:
        transaction.insert(schema.probe, tsp_id=customer.tsp_id, address="a:443", at=moment, ok=True, seen="")
    with database.read() as connection:
        found = connection.execute(select(schema.probe.c.at)).scalar_one()
    assert found == moment
    assert found.tzinfo is UTC


def test_a_moment_in_another_time_zone_compares_as_the_moment_that_it_is(
    database: Database, customer: Customer
) -> None:
    late = datetime(2026, 11, 23, 23, 0, tzinfo=timezone(timedelta(hours=12)))  # 11:00 in UTC
    with database.write(late, "tester") as transaction:
        transaction.insert(schema.probe, tsp_id=customer.tsp_id, address="a:443", at=late, ok=True, seen="")
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    with database.read() as connection:
        assert connection.execute(select(schema.probe).where(schema.probe.c.at < noon)).first() is not None


def test_no_moment_stays_none() -> None:
    instant, dialect = Instant(), sqlite.dialect()
    assert instant.process_bind_param(None, dialect) is None
    assert instant.process_result_value(None, dialect) is None


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        Instant().process_bind_param(datetime(2026, 11, 23, 12, 0), sqlite.dialect())  # noqa: DTZ001
