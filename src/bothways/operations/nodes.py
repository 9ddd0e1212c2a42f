"""Remote nodes: listed, withdrawn, and the certificates by which each is known now."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bothways.errors import NotFound
from bothways.operations.hub import Hub
from bothways.registry.node import Binding
from bothways.store import fleet, nodes
from bothways.store.nodes import NodeCertificate
from bothways.xds.names import embedded_node
from bothways.xds.state import Address, RemoteNode

OVERLAP = timedelta(minutes=10)
"""How long the certificates before go on after a newer one was used: connections that were opened with them do."""

BESIDE = " at "
"""Between the name of the Envoy beside a hub and that of its control plane, where others tell of it."""


def withdraw_node(hub: Hub, name: str, reason: str) -> None:
    """Let a node in no more, and say why: its streams end, and nothing is sent to it. Raises `NotFound`.

    Of the Envoy beside a control plane that is gone for good, which is on no record of nodes, nothing is told any more.
    """
    plane = _gone_plane(hub, name)
    with hub.write() as transaction:
        if not plane:
            nodes.withdraw(transaction, nodes.find(transaction.connection, name).id)
        transaction.audit("node.withdraw", name, reason=reason)
    if plane:
        with hub.observations.write(hub.now()) as transaction:
            fleet.forget(transaction, plane)


def _gone_plane(hub: Hub, name: str) -> str:
    """Return the control plane that is gone, if this is the name of the Envoy beside one; empty if it is not."""
    embedded, plane = embedded_node(hub.environment.value), name.partition(BESIDE)[2]
    if name != f"{embedded}{BESIDE}{plane}" or not hub.database.shared:
        return ""
    with hub.observations.read() as connection:
        alive = {each.alive for each in fleet.told(connection, hub.now()) if each.name == plane}
    return plane if alive == {False} else ""


def list_nodes(hub: Hub) -> list[dict[str, Any]]:
    """Return all nodes that there ever were as JSON objects, each with its certificates that are in force."""
    now = hub.now()
    with hub.read() as connection:
        in_force = _in_force(connection, now)
        return [
            {
                "node": each.name,
                "state": "withdrawn" if each.withdrawn_at else "current",
                "inbound": f"{each.binding.inbound_address} {each.binding.inbound_port}",
                "egress": f"{each.binding.egress_address} {each.binding.egress_port}",
                "reached_at": each.reached_at,
                "added_at": each.added_at.isoformat(),
                "withdrawn_at": each.withdrawn_at and each.withdrawn_at.isoformat(),
                "certificates": [
                    {
                        "serial": certificate.serial,
                        "authority": certificate.authority_id,
                        "fingerprint": certificate.fingerprint,
                        "made_at": certificate.made_at.isoformat(),
                        "used_at": certificate.used_at and certificate.used_at.isoformat(),
                        "not_after": certificate.not_after.isoformat(),
                    }
                    for certificate in in_force.get(each.id, ())
                ],
            }
            for each in nodes.every(connection, withdrawn=True)
        ]


def note_use(hub: Hub, fingerprint: str) -> None:
    """Record that a certificate of a node was shown to the control plane; after the overlap it is the oldest one."""
    with hub.write() as transaction:
        if nodes.use(transaction, fingerprint):
            transaction.audit("node.certificate-used", fingerprint)


def remote_nodes(connection: Connection, now: datetime) -> tuple[RemoteNode, ...]:
    """Return the nodes as the data plane has them."""
    in_force = _in_force(connection, now)
    return tuple(
        RemoteNode(
            each.name,
            Address(each.binding.inbound_address, each.binding.inbound_port),
            Address(each.binding.egress_address, each.binding.egress_port),
            frozenset(certificate.fingerprint for certificate in in_force.get(each.id, ())),
            _address(each.reached_at) if each.reached_at else None,
        )
        for each in nodes.every(connection)
    )


def node_certificates(connection: Connection, now: datetime) -> dict[str, tuple[NodeCertificate, ...]]:
    """Return the certificates that are in force, newest first, by the name of their node."""
    in_force = _in_force(connection, now)
    return {each.name: in_force[each.id] for each in nodes.every(connection) if each.id in in_force}


def authorities_in_use(hub: Hub) -> dict[str, int]:
    """Return the number of the node CA that signed the newest certificate that each node has shown, by its name."""
    with hub.read() as connection:
        in_force = node_certificates(connection, hub.now())
    used = {name: [each.authority_id for each in found if each.used_at] for name, found in in_force.items()}
    return {name: found[0] for name, found in used.items() if found}


def known_binding(hub: Hub, name: str) -> Binding:
    """Return where the node of this name binds, or would by the hub's settings if it is new."""
    with hub.read() as connection:
        try:
            return nodes.find(connection, name).binding
        except NotFound:
            return default_binding(hub)


def default_binding(hub: Hub) -> Binding:
    """Return where a node binds if nobody says: where the hub's own Envoy does."""
    settings = hub.settings
    return Binding(settings.inbound_address, settings.inbound_port, settings.egress_address, settings.egress_port)


def _in_force(connection: Connection, now: datetime) -> dict[int, tuple[NodeCertificate, ...]]:
    """Return, newest first by node, the certificates down to the newest one whose use is longer ago than the overlap.

    What was made and never used cannot cut off what is in use: files get lost on their way to a node.
    """
    living = {each.id for each in nodes.every(connection)}
    found: dict[int, list[NodeCertificate]] = {}
    superseded: set[int] = set()
    for each in nodes.certificates(connection):
        if each.node_id not in living or each.node_id in superseded:
            continue
        if each.not_after > now:
            found.setdefault(each.node_id, []).append(each)
        if each.used_at is not None and each.used_at + OVERLAP <= now:
            superseded.add(each.node_id)
    return {number: tuple(of_node) for number, of_node in found.items()}


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))
