import pytest
from sqlalchemy import select, text

from bothways.errors import Refused
from bothways.operations.hub import Hub
from bothways.store import customers
from bothways.store.schema import customer


@pytest.mark.parametrize("brought", ["a\0b", "\ud800", "é\udfff"])
def test_what_no_database_keeps_is_refused_by_both(hub: Hub, issuer: str, brought: str) -> None:
    with hub.write() as transaction, pytest.raises(Refused, match="TEXT-01"):
        transaction.connection.execute(customer.update().values(organization=brought))
    rows = [{"name": issuer, "one": "x"}, {"name": "y", "one": brought}]
    many = text("UPDATE customer SET organization = :one WHERE tsp_id = :name")
    with hub.write() as transaction, pytest.raises(Refused, match="TEXT-01"):
        transaction.connection.execute(many, rows)
    with hub.read() as connection, pytest.raises(Refused, match="TEXT-01"):
        customers.find(connection, brought)
    with hub.read() as connection:
        assert connection.execute(select(customer.c.organization)).scalars().all() == ["First Bank"]


def test_all_other_texts_are_kept(hub: Hub, issuer: str) -> None:
    kept = "tab\t\x1b[2J\u202e\U0001f469 é"
    with hub.write() as transaction:
        transaction.connection.execute(customer.update().values(organization=kept))
    with hub.read() as connection:
        assert customers.find(connection, issuer).organization == kept
