from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, inspect, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError

from bothways.pki.request import CertificationRequest
from bothways.registry.customer import Customer
from bothways.store import requests, schema
from bothways.store.database import Database
from bothways.store.requests import RequestState

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
    instant, dialect = schema.Instant(), sqlite.dialect()
    assert instant.process_bind_param(None, dialect) is None
    assert instant.process_result_value(None, dialect) is None


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        schema.Instant().process_bind_param(datetime(2026, 11, 23, 12, 0), sqlite.dialect())  # noqa: DTZ001


def test_one_key_is_held_by_one_request(
    database: Database, customer: Customer, make_request: Callable[..., CertificationRequest], ecdsa_key: Any
) -> None:
    now = customer.created_at
    with database.write(now, "tester") as transaction:
        requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))
    with pytest.raises(IntegrityError, match="spki_pin"), database.write(now, "tester") as transaction:
        requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))


def test_a_refused_request_leaves_its_key_free_and_only_once(
    database: Database, customer: Customer, make_request: Callable[..., CertificationRequest], ecdsa_key: Any
) -> None:
    now = customer.created_at
    with database.write(now, "tester") as transaction:
        first = requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))
        requests.decide(transaction, first, RequestState.REFUSED, "typo")
        requests.add(transaction, customer.tsp_id, make_request(ecdsa_key))
    with pytest.raises(IntegrityError, match="spki_pin"), database.write(now, "tester") as transaction:
        requests.decide(transaction, first, RequestState.APPROVED)


def test_a_host_name_belongs_to_one_customer(database: Database, customer: Customer, other: Customer) -> None:
    now = customer.created_at
    values: dict[str, Any] = {"host": "a.example", "port": 443, "path": "", "set_at": now}
    rows = [values | {"tsp_id": each.tsp_id} for each in (customer, other)]
    with pytest.raises(IntegrityError, match=r"endpoint\.host"), database.write(now, "tester") as transaction:
        transaction.connection.execute(insert(schema.endpoint), rows)


def test_every_table_is_made_with_the_columns_that_it_declares(database: Database) -> None:
    with database.read() as connection:
        found = inspect(connection)
        made = {name: {each["name"] for each in found.get_columns(name)} for name in found.get_table_names()}
    assert made == {name: set(table.columns.keys()) for name, table in schema.metadata.tables.items()}
