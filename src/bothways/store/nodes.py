"""Remote nodes in the database, and the certificates by which they are known; never their keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, Row, insert, select, update

from bothways.errors import NotFound
from bothways.pki.chain import certificate_der, fingerprint
from bothways.pki.keys import spki_pin
from bothways.registry.node import Binding, Node
from bothways.store.authorities import Authority
from bothways.store.database import Transaction
from bothways.store.schema_nodes import node, node_certificate


@dataclass(frozen=True, slots=True)
class NodeCertificate:
    """One certificate of a node; `used_at` is when the control plane saw it first."""

    serial: str
    node_id: int
    authority_id: int
    fingerprint: str
    made_at: datetime
    not_after: datetime
    used_at: datetime | None = None


def add(transaction: Transaction, name: str, binding: Binding) -> Node:
    """Store a node under a name that no other has now."""
    transaction.insert(node, name=name, added_at=transaction.now, **_columns(binding))
    return find(transaction.connection, name)


def move(transaction: Transaction, number: int, binding: Binding) -> None:
    """Record where a node binds from now on."""
    transaction.connection.execute(update(node).where(node.c.id == number).values(**_columns(binding)))


def reach(transaction: Transaction, number: int, reached_at: str) -> None:
    """Record where the control plane reaches a node's endpoint, as HOST:PORT."""
    transaction.connection.execute(update(node).where(node.c.id == number).values(reached_at=reached_at))


def withdraw(transaction: Transaction, number: int) -> None:
    """Record that a node is none any more."""
    transaction.connection.execute(update(node).where(node.c.id == number).values(withdrawn_at=transaction.now))


def find(connection: Connection, name: str) -> Node:
    """Return the node that has this name now. Raises `NotFound`."""
    row = connection.execute(select(node).where(node.c.name == name, node.c.withdrawn_at.is_(None))).first()
    if row is None:
        raise NotFound(f"there is no node {name}.", "Look at: bothways hub node list")
    return _node(row)


def every(connection: Connection, *, withdrawn: bool = False) -> tuple[Node, ...]:
    """Return the nodes by name and age; with `withdrawn`, all that there ever were."""
    query = select(node).order_by(node.c.name, node.c.id)
    rows = connection.execute(query if withdrawn else query.where(node.c.withdrawn_at.is_(None)))
    return tuple(_node(row) for row in rows)


def add_certificate(
    transaction: Transaction, number: int, certificate: x509.Certificate, issuer: Authority
) -> NodeCertificate:
    """Store a certificate of a node."""
    record = NodeCertificate(
        f"{certificate.serial_number:x}",
        number,
        issuer.id,
        fingerprint(certificate),
        transaction.now,
        certificate.not_valid_after_utc,
    )
    transaction.connection.execute(
        insert(node_certificate).values(
            serial=record.serial,
            node_id=number,
            authority_id=record.authority_id,
            fingerprint=record.fingerprint,
            der=certificate_der(certificate),
            made_at=record.made_at,
            not_after=record.not_after,
        )
    )
    return record


def certificates(connection: Connection) -> tuple[NodeCertificate, ...]:
    """Return the certificates of all nodes that there ever were, newest first."""
    table = node_certificate
    columns = (
        table.c.serial,
        table.c.node_id,
        table.c.authority_id,
        table.c.fingerprint,
        table.c.made_at,
        table.c.not_after,
        table.c.used_at,
    )
    return tuple(NodeCertificate(*row) for row in connection.execute(select(*columns).order_by(table.c.id.desc())))


def spki_pins(connection: Connection) -> frozenset[str]:
    """Return the keys of all certificates that nodes ever had, as the SHA-256 of each."""
    found = connection.execute(select(node_certificate.c.der)).scalars()
    return frozenset(spki_pin(x509.load_der_x509_certificate(each).public_key()) for each in found)


def use(transaction: Transaction, fingerprint: str) -> bool:
    """Record that a certificate was shown for the first time; tell whether it was."""
    table = node_certificate
    done = transaction.connection.execute(
        update(table)
        .where(table.c.fingerprint == fingerprint, table.c.used_at.is_(None))
        .values(used_at=transaction.now)
    )
    return bool(done.rowcount)


def _columns(binding: Binding) -> dict[str, object]:
    return {
        "inbound_address": binding.inbound_address,
        "inbound_port": binding.inbound_port,
        "egress_address": binding.egress_address,
        "egress_port": binding.egress_port,
    }


def _node(row: Row[Any]) -> Node:
    binding = Binding(row.inbound_address, row.inbound_port, row.egress_address, row.egress_port)
    return Node(row.id, row.name, binding, row.added_at, row.withdrawn_at, row.reached_at)
