from collections.abc import Callable
from datetime import datetime
from typing import Any

from bothways.registry.customer import Customer
from bothways.store import authorities, holds
from bothways.store.authorities import Role
from bothways.store.database import Database
from bothways.store.holds import Hold


def test_a_customer_is_held_at_one_certificate_until_it_is_released(
    database: Database, customer: Customer, other: Customer, make_ca: Callable[..., Any], now: datetime
) -> None:
    certificate = make_ca("CA")[1]
    with database.write(now, "tester") as transaction:
        issuer = authorities.add_authority(transaction, Role.CLIENT, certificate, "ca")
        for name in ("one", "two"):
            authorities.add_credential(transaction, Role.CLIENT, make_ca(name)[1], name, issuer)
        holds.add(transaction, customer.tsp_id, 1, "pins")
        holds.add(transaction, other.tsp_id, 1, "away")
        holds.add(transaction, customer.tsp_id, 2, "pins another")
    with database.read() as connection:
        held = Hold(customer.tsp_id, 2, now, "pins another")
        assert holds.many(connection) == {
            customer.tsp_id: held,
            other.tsp_id: Hold(other.tsp_id, 1, now, "away"),
        }
        assert holds.many(connection, [customer.tsp_id]) == {customer.tsp_id: held}
    with database.write(now, "tester") as transaction:
        assert holds.release(transaction, customer.tsp_id)
        assert not holds.release(transaction, customer.tsp_id)
    with database.read() as connection:
        assert list(holds.many(connection)) == [other.tsp_id]
