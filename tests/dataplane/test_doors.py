"""Where the canary knocks: at loopback for every address, and at no node that another control plane sees to."""

from dataclasses import replace

import pytest

from bothways.dataplane.doors import Door, doors_of_nodes, reachable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.xds.state import Address, RemoteNode


@pytest.mark.parametrize(
    ("bound", "knocked"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.0.2.7", "192.0.2.7"), ("::1", "::1")],  # noqa: S104
)
def test_a_listener_on_all_addresses_is_reached_on_loopback(bound: str, knocked: str) -> None:
    assert reachable(Address(bound, 8443)) == Address(knocked, 8443)


def test_a_node_is_knocked_at_where_it_is_reached_unless_nobody_knows_or_another_control_plane_does(hub: Hub) -> None:
    def node(name: str, bound: str, reached: Address | None = None) -> RemoteNode:
        return RemoteNode(name, Address(bound, 443), Address("127.0.0.1", 15001), frozenset(), reached)

    place = Address("eu-3.hub.example", 8443)
    nodes = (
        node("eu-1", "192.0.2.7"),
        node("eu-2", "0.0.0.0"),  # noqa: S104 - nothing is bound
        node("eu-3", "0.0.0.0", place),  # noqa: S104 - as above
        node("eu-4", "127.0.0.1"),
        node("eu-5", "192.0.2.8"),
    )
    found = doors_of_nodes(replace(hub_state(hub), nodes=nodes), {"eu-5"})
    assert found == (Door(Address("192.0.2.7", 443), "eu-1"), Door(place, "eu-3"))
