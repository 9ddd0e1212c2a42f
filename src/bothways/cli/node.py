"""`bothways hub envoy-bootstrap`, and `bothways hub node`: list, withdraw."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways.cli.addresses import reached
from bothways.cli.arguments import EgressPort, InboundPort
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, Why, result, table, tell
from bothways.errors import Unusable
from bothways.operations import nodes
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub
from bothways.registry.node import Binding
from bothways.xds.state import Address

_ANY = ("0.0.0.0", "::")  # noqa: S104 - nothing is bound: these are no addresses to call

ControlPlanes = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        help="HOST:PORT as the node reaches a control plane, if not as hub.toml says; once for each of several.",
    ),
]
Pages = Annotated[
    list[str] | None,
    Parameter(
        negative="",
        help="HOST:PORT as the node reaches a control plane for /connectivity and EST; once for each of several.",
    ),
]


def envoy_bootstrap(
    *,
    node: Annotated[str, Parameter(help="The name of the node, like eu-1; a new one is put on record.")],
    out: Annotated[Path, Parameter(help="The directory for all files that the node needs.")],
    control_plane: ControlPlanes = None,
    connectivity: Pages = None,
    inbound_address: Annotated[str | None, Parameter(help="The address that the node binds for customers.")] = None,
    inbound_port: InboundPort | None = None,
    egress_address: Annotated[str | None, Parameter(help="The address that the node binds for services.")] = None,
    egress_port: EgressPort | None = None,
    reached_at: Annotated[
        str | None,
        Parameter(help="HOST:PORT at which the control plane reaches the node's endpoint, for the canary and probes."),
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Put a remote Envoy on record, and write all files that it needs; again, to renew its certificate.

    Without options for addresses, a new node binds where hub.toml says, and a known one where it did.
    """
    with hub_in(directory) as hub:
        planes, pages = _places(hub, control_plane, connectivity)
        before = nodes.known_binding(hub, node)
        binding = Binding(
            before.inbound_address if inbound_address is None else inbound_address,
            before.inbound_port if inbound_port is None else inbound_port,
            before.egress_address if egress_address is None else egress_address,
            before.egress_port if egress_port is None else egress_port,
        )
        place = None if reached_at is None else reached(reached_at)
        made = bootstrap_node(hub, node, out, planes, pages, binding, place)
        document = {
            "node": made.name,
            "directory": str(out),
            "inbound": f"{binding.inbound_address} {binding.inbound_port}",
            "egress": f"{binding.egress_address} {binding.egress_port}",
            "control_planes": [str(each) for each in planes],
            "connectivity": [str(each) for each in pages],
            "reached_at": made.reached_at,
        }
        code = conclude(hub, document, f"The node {made.name} has all that it needs in {out}.", as_json=json)
        tell(
            f"Next: carry {out} to the node's machine by a way that nobody else can read (it holds the node's private "
            f"key), delete it here, and start the node there:\n  bothways node run --directory {shlex.quote(str(out))}"
        )
        return code


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List all nodes that there ever were; whether they are connected, `bothways hub status` says."""
    with asked(where) as at:
        found = at.every(nodes.list_nodes, ("nodes",))
        rows = [
            (
                each["node"],
                each["state"],
                each["inbound"],
                each["egress"],
                each["reached_at"] or "",
                ", ".join(
                    f"{one['serial'][:8]} of CA {one['authority']} until {one['not_after'][:10]}{_unused(one)}"
                    for one in each["certificates"]
                ),
            )
            for each in found
        ]
        text = table(rows, ("NODE", "STATE", "INBOUND", "EGRESS", "REACHED AT", "CERTIFICATES"))
        result(found, text, as_json=json)
        return OK


def _unused(certificate: Document) -> str:
    return "" if certificate["used_at"] else " (not used yet)"


def withdraw(
    node: Annotated[str, Parameter(help="The name of the node.")],
    *,
    reason: Why,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Let a node in no more. It goes on with what it has until it is stopped: end its Envoy too."""

    def local(hub: Hub) -> Document:
        nodes.withdraw_node(hub, node, reason)
        return {"node": node, "state": "withdrawn"}

    with asked(where) as at:
        document = at.change(local, "POST", ("nodes", node, "withdraw"), {"reason": reason})
        code = at.conclude(document, f"The node {node} is withdrawn.", as_json=json)
        tell(
            "Its Envoy, if it still runs, serves what it had, and has the keys that it was sent. Stop it; if its "
            "machine was stolen or broken into, see what to renew in docs/nodes.md."
        )
        return code


def _places(
    hub: Hub, control_plane: list[str] | None, connectivity: list[str] | None
) -> tuple[list[Address], list[Address]]:
    """Return where the node reaches the control planes: for its configuration, and for `/connectivity`."""
    settings = hub.settings
    if control_plane:
        planes = [reached(each) for each in control_plane]
    elif settings.nodes_address in _ANY:
        raise Unusable(
            f"the hub listens for nodes at {settings.nodes_address}, which is every address of this machine and none "
            "that a node can call. Say it: --control-plane HOST:PORT"
        )
    else:
        planes = [Address(settings.nodes_address, settings.nodes_port)]
    if connectivity:
        return planes, [reached(each) for each in connectivity]
    # Two control planes on one host have one each all the same: the host once.
    hosts = dict.fromkeys(each.host for each in planes)
    return planes, [Address(each, settings.nodes_connectivity_port) for each in hosts]
