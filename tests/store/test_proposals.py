"""One proposal for each thing: who made the last one, and how it is to be decided."""

from datetime import datetime, timedelta

from bothways.store.database import Database
from bothways.store.proposals import Kind, Proposal, many, put

ANN, BOB = "ann@hub.example", "bob@hub.example"


def test_the_last_proposal_stands_and_each_kind_has_numbers_of_its_own(database: Database, now: datetime) -> None:
    later = now + timedelta(minutes=1)
    with database.write(now, ANN) as transaction:
        put(transaction, Kind.REQUEST, (1, 2), ANN)
        put(transaction, Kind.CHAIN, (1,), ANN, '{"pins": ["a"]}')
        put(transaction, Kind.ENDPOINT, (), ANN)
    with database.write(later, BOB) as transaction:
        put(transaction, Kind.CHAIN, (1,), BOB, '{"pins": []}')
    with database.read() as connection:
        assert many(connection, Kind.REQUEST, (1, 2, 3)) == {1: Proposal(1, ANN, now), 2: Proposal(2, ANN, now)}
        assert many(connection, Kind.CHAIN, (1,)) == {1: Proposal(1, BOB, later, '{"pins": []}')}
        assert many(connection, Kind.ENDPOINT, (1,)) == {}


def test_how_it_is_to_be_decided_is_shown(now: datetime) -> None:
    shown = Proposal(1, ANN, now, '{"pins": ["a"]}').document()
    assert shown == {"by": ANN, "at": now.isoformat(), "terms": {"pins": ["a"]}}
    assert Proposal(1, ANN, now).how == {}
