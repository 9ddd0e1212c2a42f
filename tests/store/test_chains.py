from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bothways.errors import NotFound
from bothways.pki.chain import Chain
from bothways.registry.customer import Customer
from bothways.store import chains
from bothways.store.chains import ChainState, StoredChain
from bothways.store.database import Database


@pytest.fixture
def record(make_ca: Callable[..., Any]) -> Chain:
    """A chain of an intermediate that ends in 30 days, and of its root."""
    root = make_ca("root")
    return Chain((make_ca("intermediate", root, days=30)[1], root[1]))


def add(database: Database, customer: Customer, record: Chain) -> int:
    with database.write(customer.created_at, "tester") as transaction:
        return chains.add(transaction, customer.tsp_id, record)


def test_a_chain_comes_back_and_ends_with_the_certificate_that_ends_first(
    database: Database, customer: Customer, record: Chain
) -> None:
    number = add(database, customer, record)
    with database.read() as connection:
        found = chains.find(connection, number)
    assert found == StoredChain(
        id=number,
        tsp_id=customer.tsp_id,
        pem=record.pem,
        fingerprint=record.fingerprint,
        not_after=record.certificates[0].not_valid_after_utc,
        state=ChainState.SUBMITTED,
        submitted_at=customer.created_at,
        decided_by=None,
        reason=None,
    )
    assert found.not_after < datetime.now(UTC) + timedelta(days=31)


def test_its_document_holds_what_two_people_compare(database: Database, customer: Customer, record: Chain) -> None:
    number = add(database, customer, record)
    with database.read() as connection:
        found = chains.find(connection, number)
    assert found.document() == {
        "id": number,
        "customer": "12345678",
        "fingerprint": record.fingerprint,
        "not_after": found.not_after.isoformat(),
        "state": "submitted",
        "submitted_at": "2026-11-23T12:00:00+00:00",
        "decided_by": None,
        "reason": None,
        "spki_pins": [],
    }


@pytest.mark.parametrize("state", [ChainState.ENDORSED, ChainState.REFUSED, ChainState.WITHDRAWN])
def test_a_decision_says_who_and_why_and_leaves_other_chains_alone(
    database: Database, customer: Customer, record: Chain, state: ChainState
) -> None:
    number, untouched = add(database, customer, record), add(database, customer, record)
    with database.write(customer.created_at, "alice") as transaction:
        chains.decide(transaction, number, state, "by phone")
    with database.read() as connection:
        found = chains.find(connection, number)
        assert (found.state, found.decided_by, found.reason) == (state, "alice", "by phone")
        assert chains.find(connection, untouched).state is ChainState.SUBMITTED


def test_chains_are_listed_by_customer_and_state_oldest_first(
    database: Database, customer: Customer, other: Customer, record: Chain
) -> None:
    numbers = [add(database, each, record) for each in (customer, other, customer)]
    with database.write(customer.created_at, "alice") as transaction:
        for number in numbers[1:]:
            chains.decide(transaction, number, ChainState.ENDORSED)
    with database.read() as connection:
        assert [each.id for each in chains.every(connection)] == numbers
        assert [each.id for each in chains.every(connection, customer.tsp_id)] == [numbers[0], numbers[2]]
        assert [each.id for each in chains.every(connection, state=ChainState.ENDORSED)] == numbers[1:]
        both = chains.every(connection, customer.tsp_id, ChainState.ENDORSED)
        assert [each.id for each in both] == [numbers[2]]
        assert {tsp_id: [each.id for each in found] for tsp_id, found in chains.endorsed(connection, None).items()} == {
            other.tsp_id: [numbers[1]],
            customer.tsp_id: [numbers[2]],
        }
        assert [each.id for each in chains.endorsed(connection, [customer.tsp_id])[customer.tsp_id]] == [numbers[2]]


def test_the_chains_of_some_customers_are_not_looked_for_by_their_state(database: Database) -> None:
    """Of two indexes of the same worth SQLite takes any: by the state it goes through those of all customers."""
    asked: list[str] = []

    def noted(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", noted)
        chains.endorsed(connection, ["1"])
    [statement] = asked
    condition = statement.split("WHERE")[1]
    assert "tsp_id" in condition
    assert "state" not in condition


def test_pins_belong_to_their_chain(database: Database, customer: Customer, record: Chain) -> None:
    number, other = add(database, customer, record), add(database, customer, record)
    with database.write(customer.created_at, "alice") as transaction:
        chains.pin(transaction, number, ["ab" * 32, "cd" * 32])
    with database.read() as connection:
        assert chains.find(connection, number).spki_pins == ("ab" * 32, "cd" * 32)
        assert chains.find(connection, other).spki_pins == ()


def test_a_root_is_shared_while_it_is_endorsed_for_somebody_else(
    database: Database, customer: Customer, other: Customer, record: Chain
) -> None:
    number = add(database, other, record)
    asked = (record.fingerprint, "nobody's")
    shared = []
    for state in (ChainState.SUBMITTED, ChainState.ENDORSED, ChainState.WITHDRAWN):
        with database.write(customer.created_at, "alice") as transaction:
            chains.decide(transaction, number, state)
            shared.append(chains.endorsed_for_others(transaction.connection, customer.tsp_id, asked))
            assert chains.endorsed_for_others(transaction.connection, other.tsp_id, asked) == frozenset()
    assert shared == [frozenset(), frozenset({record.fingerprint}), frozenset()]


def test_a_root_of_several_others_is_looked_for_by_the_index_of_roots(
    database: Database, customer: Customer, other: Customer, record: Chain
) -> None:
    """By the state SQLite goes through all chains, and by the root through all customers of a public one."""
    for each in (other, other, customer):
        number = add(database, each, record)
        with database.write(customer.created_at, "alice") as transaction:
            chains.decide(transaction, number, ChainState.ENDORSED)
    asked: list[tuple[str, tuple[object, ...]]] = []

    def noted(_connection: object, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        asked.append((statement, tuple(parameters)))

    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", noted)
        found = chains.endorsed_for_others(connection, customer.tsp_id, (record.fingerprint, "nobody's"))
    assert found == frozenset({record.fingerprint})
    with database.read() as connection:
        for statement, parameters in asked:
            [plan] = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            assert "INDEX chains_by_root (fingerprint=?)" in plan.detail
            assert len(connection.exec_driver_sql(statement, parameters).all()) <= 1


def test_an_unknown_number_is_not_found(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound, match=r"there is no chain 7. Look at: "):
        chains.find(connection, 7)
