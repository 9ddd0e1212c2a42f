"""Nodes on record: one of a name at a time, and certificates that keep their order whatever the clock said."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.exc import IntegrityError

from bothways.errors import NotFound
from bothways.pki.chain import fingerprint
from bothways.registry.node import Binding, Node
from bothways.store import nodes
from bothways.store.authorities import Authority
from bothways.store.database import Database

HERE, THERE = Binding("127.0.0.1", 8443, "127.0.0.1", 15001), Binding("::1", 443, "::1", 15002)


def test_a_node_is_found_by_its_name_moved_and_withdrawn(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        added = nodes.add(transaction, "eu-1", HERE)
        nodes.move(transaction, added.id, THERE)
    with database.read() as connection:
        assert nodes.find(connection, "eu-1") == Node(added.id, "eu-1", THERE, now)
        with pytest.raises(NotFound, match="there is no node eu-2"):
            nodes.find(connection, "eu-2")
    with database.write(now, "tester") as transaction:
        nodes.withdraw(transaction, added.id)
    with database.read() as connection:
        with pytest.raises(NotFound):
            nodes.find(connection, "eu-1")
        assert nodes.every(connection) == ()
        assert nodes.every(connection, withdrawn=True) == (Node(added.id, "eu-1", THERE, now, now),)


def test_a_name_is_one_nodes_at_a_time(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        first = nodes.add(transaction, "eu-1", HERE)
    with pytest.raises(IntegrityError), database.write(now, "tester") as transaction:
        nodes.add(transaction, "eu-1", HERE)
    with database.write(now, "tester") as transaction:
        nodes.withdraw(transaction, first.id)
        assert nodes.add(transaction, "eu-1", HERE).id != first.id


def test_certificates_stand_newest_first_and_their_first_use_is_recorded_once(
    database: Database,
    now: datetime,
    authority: tuple[ec.EllipticCurvePrivateKey, Authority],
    make_ca: Callable[..., tuple[ec.EllipticCurvePrivateKey, x509.Certificate]],
) -> None:
    made = [make_ca("eu-1", ca=False)[1] for _ in range(2)]
    with database.write(now, "tester") as transaction:
        number = nodes.add(transaction, "eu-1", HERE).id
    # The clock went back between the two.
    for moment, certificate in zip((now, now - timedelta(hours=1)), made, strict=True):
        with database.write(moment, "tester") as transaction:
            stored = nodes.add_certificate(transaction, number, certificate, authority[1])
    assert stored.fingerprint == fingerprint(made[1])
    with database.write(now, "tester") as transaction:
        assert nodes.use(transaction, stored.fingerprint) is True
    with database.write(now + timedelta(days=1), "tester") as transaction:
        assert nodes.use(transaction, stored.fingerprint) is False
        assert nodes.use(transaction, "0" * 64) is False
    with database.read() as connection:
        assert [(each.serial, each.used_at) for each in nodes.certificates(connection)] == [
            (f"{made[1].serial_number:x}", now),
            (f"{made[0].serial_number:x}", None),
        ]
