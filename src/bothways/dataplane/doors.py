"""The doors at which the canary knocks: where the listener of each node is reached from here."""

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass

from bothways.xds.state import Address, HubState


@dataclass(frozen=True, slots=True)
class Door:
    """Where the canary knocks, and at whose: the name of a node, empty if nobody knows."""

    address: Address
    node: str = ""


def reachable(address: Address) -> Address:
    """Return where to knock: at the address itself, or on loopback if the listener is bound to all addresses."""
    if not (bound := ipaddress.ip_address(address.host)).is_unspecified:
        return address
    return Address("127.0.0.1" if bound.version == 4 else "::1", address.port)  # noqa: PLR2004 - IPv4


def doors_of_nodes(state: HubState, elsewhere: Collection[str] = ()) -> tuple[Door, ...]:
    """Return the doors of the remote nodes that can be knocked at; not of those that another control plane sees to.

    Of an address that is bound nobody knows whether it leads there from here, if it is loopback or every address.
    """
    return tuple(
        Door(each.reached_at or each.inbound, each.name)
        for each in state.nodes
        if each.name not in elsewhere and (each.reached_at or not _is_of_its_own_machine(each.inbound))
    )


def _is_of_its_own_machine(address: Address) -> bool:
    bound = ipaddress.ip_address(address.host)
    return bound.is_unspecified or bound.is_loopback
