"""Sessions are found by the digest of their cookie, ended one by one or all, and forgotten when they are old."""

from datetime import timedelta

from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.store import sessions


def test_sessions_are_kept_and_ended_for_each_person(hub: Hub) -> None:
    ann = add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR).id
    bob = add_person(hub, "bob@hub.example", "Bob", Role.OPERATOR).id
    with hub.write() as transaction:
        first = sessions.add(transaction, ann, "a1", "csrf", "192.0.2.1", "browser")
        second = sessions.add(transaction, ann, "a2", "csrf", "192.0.2.1", "browser")
        sessions.add(transaction, bob, "b1", "csrf", "192.0.2.1", "browser")
        assert [each.id for each in sessions.every(transaction.connection, ann)] == [second, first]
        assert sessions.end(transaction, bob, first) == 0
        assert sessions.end(transaction, ann, first) == 1
        assert sessions.find(transaction.connection, "a1") is None
        sessions.forget(transaction, transaction.now + timedelta(seconds=1), transaction.now)
        assert sessions.every(transaction.connection, bob) == ()
