from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bothways.connectivity.facts import ProbeFact
from bothways.connectivity.probing import next_probe
from bothways.errors import NotFound
from bothways.pki.chain import Chain
from bothways.registry.customer import Customer
from bothways.registry.endpoint import Endpoint
from bothways.store import chains, customers, endpoints, schema
from bothways.store.chains import ChainState
from bothways.store.database import Database
from bothways.store.endpoints import Registered

SERVER = Endpoint("callbacks.bank.example", 8443, "/hub")


def put(database: Database, customer: Customer, record: Endpoint) -> None:
    with database.write(customer.created_at, "tester") as transaction:
        endpoints.put(transaction, customer.tsp_id, record)


def test_a_server_comes_back_as_it_went_in(database: Database, customer: Customer) -> None:
    put(database, customer, SERVER)
    with database.read() as connection:
        assert endpoints.find(connection, customer.tsp_id) == SERVER
        assert endpoints.many(connection) == {customer.tsp_id: SERVER}


def test_a_new_server_takes_the_place_of_the_one_before(database: Database, customer: Customer) -> None:
    put(database, customer, SERVER)
    put(database, customer, Endpoint("new.bank.example", 443, ""))
    with database.read() as connection:
        assert endpoints.many(connection) == {customer.tsp_id: Endpoint("new.bank.example", 443, "")}
        assert endpoints.owner(connection, SERVER.host) is None


def test_it_counts_as_set_when_its_host_and_port_were(database: Database, customer: Customer, now: datetime) -> None:
    moments = []
    for minutes, record in enumerate([SERVER, replace(SERVER, path=""), replace(SERVER, port=443), SERVER]):
        with database.write(now + timedelta(minutes=minutes), "tester") as transaction:
            endpoints.put(transaction, customer.tsp_id, record)
            moments.append(transaction.connection.execute(select(schema.endpoint.c.set_at)).scalar_one())
    assert [(each - now).seconds // 60 for each in moments] == [0, 0, 2, 3]


def test_a_host_name_has_one_owner(database: Database, customer: Customer, other: Customer) -> None:
    put(database, customer, SERVER)
    put(database, other, Endpoint("api.shop.example", 443, ""))
    with database.read() as connection:
        assert endpoints.owner(connection, SERVER.host) == customer.tsp_id
        assert endpoints.owner(connection, "api.shop.example") == other.tsp_id
        assert endpoints.owner(connection, "nobody.example") is None


def test_a_server_is_forgotten_and_that_of_another_customer_is_not(
    database: Database, customer: Customer, other: Customer
) -> None:
    put(database, customer, SERVER)
    put(database, other, Endpoint("api.shop.example", 443, ""))
    with database.write(customer.created_at, "tester") as transaction:
        endpoints.remove(transaction, customer.tsp_id)
    with database.read() as connection:
        assert list(endpoints.many(connection)) == [other.tsp_id]
        with pytest.raises(NotFound, match=r"customer 12345678 has no endpoint.*Set one: "):
            endpoints.find(connection, customer.tsp_id)


def test_a_probe_is_kept_with_all_that_it_saw(database: Database, customer: Customer, now: datetime) -> None:
    seen = ProbeFact("callbacks.bank.example:8443", now, ok=False, seen="certificate_has_expired")
    with database.write(now, "tester") as transaction:
        endpoints.add_probe(transaction, customer.tsp_id, seen)
    with database.read() as connection:
        row = connection.execute(select(schema.probe)).one()
    assert row.tsp_id == customer.tsp_id
    assert ProbeFact(row.address, row.at, row.ok, row.seen) == seen


def test_the_last_probes_are_kept_and_the_last_that_succeeded(
    database: Database, customer: Customer, other: Customer, now: datetime
) -> None:
    def probed(tsp_id: str, number: int, *, ok: bool) -> None:
        with database.write(now, "tester") as transaction:
            fact = ProbeFact("bank.example:443", now + timedelta(days=number), ok, str(number))
            endpoints.add_probe(transaction, tsp_id, fact, {"findings": [], "evidence": None})

    probed(other.tsp_id, 0, ok=False)
    for number in range(20):
        probed(customer.tsp_id, number, ok=number < 3)
    with database.read() as connection:
        kept = endpoints.probes(connection, customer.tsp_id)
        assert len(endpoints.probes(connection, other.tsp_id)) == 1
    assert [each.fact.seen for each in kept] == [str(each) for each in (*range(19, 9, -1), 2)]
    assert kept[0].document()["findings"] == []


def test_who_can_be_probed_is_told_with_the_last_change_and_the_last_probe(
    database: Database, customer: Customer, other: Customer, now: datetime, make_ca: Callable[..., Any]
) -> None:
    later = now + timedelta(hours=1)
    put(database, customer, SERVER)
    put(database, other, Endpoint("api.shop.example", 443, ""))
    root = make_ca("Root")[1]
    with database.write(now, "tester") as transaction:
        number = chains.add(transaction, customer.tsp_id, Chain((root,)))
    with database.read() as connection:
        assert endpoints.registered(connection, now) == ()
    with database.write(later, "tester") as transaction:
        chains.decide(transaction, number, ChainState.ENDORSED, "")
    with database.read() as connection:
        assert endpoints.registered(connection, now) == (Registered(customer.tsp_id, later, None),)
        assert endpoints.registered(connection, root.not_valid_after_utc) == ()
    with database.write(later, "tester") as transaction:
        endpoints.add_probe(transaction, customer.tsp_id, ProbeFact("bank.example:443", later, ok=True, seen=""))
    with database.read() as connection:
        # Who cannot be due yet is not even looked at.
        assert endpoints.registered(connection, later) == ()
        due = next_probe(customer.tsp_id, later)
        assert endpoints.registered(connection, due - timedelta(microseconds=1)) == ()
        assert endpoints.registered(connection, due) == (Registered(customer.tsp_id, later, later),)
    with database.write(later, "tester") as transaction:
        customers.suspend(transaction, customer.tsp_id, suspended=True)
    with database.read() as connection:
        assert endpoints.registered(connection, due) == ()


def test_what_was_set_or_endorsed_after_a_probe_began_is_looked_at_however_late_that_probe_ends(
    database: Database, customer: Customer, now: datetime, make_ca: Callable[..., Any]
) -> None:
    begun, later = now, now + timedelta(minutes=1)

    def probed(at: datetime) -> tuple[Registered, ...]:
        with database.write(later, "tester") as transaction:
            fact = ProbeFact("bank.example:443", at, ok=True, seen="")
            endpoints.add_probe(transaction, customer.tsp_id, fact)
        with database.read() as connection:
            return endpoints.registered(connection, later)

    with database.write(begun, "tester") as transaction:
        endpoints.put(transaction, customer.tsp_id, SERVER)
        number = chains.add(transaction, customer.tsp_id, Chain((make_ca("Root")[1],)))
        chains.decide(transaction, number, ChainState.ENDORSED, "")
    assert probed(begun) == ()
    with database.write(later, "tester") as transaction:
        chains.decide(transaction, number, ChainState.ENDORSED, "")
    assert probed(begun) == (Registered(customer.tsp_id, later, begun),)
    assert probed(later) == ()
    with database.write(later + timedelta(seconds=1), "tester") as transaction:
        endpoints.put(transaction, customer.tsp_id, replace(SERVER, host="new.bank.example"))
    assert [each.last for each in probed(later)] == [later]
