from datetime import datetime, timedelta

from bothways.registry.customer import Customer
from bothways.store import bundles
from bothways.store.bundles import HandedOut
from bothways.store.database import Database


def test_a_bundle_is_found_by_its_name_with_its_answer(database: Database, customer: Customer, now: datetime) -> None:
    with database.write(now, "alice") as transaction:
        bundles.add(transaction, "1a", customer.tsp_id, "f" * 64)
        assert bundles.find(transaction.connection, "1a") == HandedOut("1a", customer.tsp_id, "f" * 64, now, None, None)
        bundles.answered(transaction, "1a", "e" * 64)
    with database.read() as connection:
        found = bundles.find(connection, "1a")
        assert bundles.find(connection, "1b") is None
    assert found is not None
    assert (found.answered_at, found.answer) == (now, "e" * 64)


def test_the_newest_bundles_of_a_customer_come_first(database: Database, customer: Customer, now: datetime) -> None:
    for minute in range(3):
        with database.write(now + timedelta(minutes=minute), "alice") as transaction:
            bundles.add(transaction, f"{minute}", customer.tsp_id, "f" * 64)
    with database.read() as connection:
        assert [each.id for each in bundles.newest(connection, customer.tsp_id, 2)] == ["2", "1"]
        assert bundles.newest(connection, "87654321", 2) == ()
