"""Which Envoys are asked to call a customer, and what is said of those that cannot be. The wire is in tests/wire."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import free_ports, local_settings

from bothways.errors import Conflict
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub
from bothways.operations.settings import Settings
from bothways.outbound.callers import make_callers
from bothways.outbound.calls import call_by_nodes, prepare_calls, require_running
from bothways.registry.node import Binding
from bothways.xds.state import Address


@pytest.fixture
def settings() -> Settings:
    nodes, connectivity = free_ports(2)
    return replace(local_settings(), nodes_port=nodes, nodes_connectivity_port=connectivity)


def add(hub: Hub, place: Path, address: str) -> None:
    [port] = free_ports(1)
    there = Address("127.0.0.1", hub.settings.nodes_port)
    bootstrap_node(hub, "eu-1", place / "eu-1", [there], [there], Binding(address, port, "127.0.0.1", port))


def test_a_hub_without_nodes_asks_none(hub: Hub) -> None:
    assert call_by_nodes(hub, "12345678", make_callers(hub).prober) == ()
    with pytest.raises(Conflict, match="bothways hub run"):
        require_running(hub)


# The HTTP library leaves a unix socket that it could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_the_hub_no_envoy_is_sent_what_a_call_needs(hub: Hub) -> None:
    with pytest.raises(Conflict, match=r"control\.sock .*bothways hub run"):
        prepare_calls(hub, "12345678")


@pytest.mark.parametrize(("address", "said"), [("127.0.0.1", "127.0.0.1:"), ("0.0.0.0", "no address")])  # noqa: S104
def test_a_node_that_cannot_be_reached_is_told_with_where_it_was_looked_for(
    hub: Hub, tmp_path: Path, address: str, said: str
) -> None:
    add(hub, tmp_path, address)
    [seen] = call_by_nodes(hub, "12345678", make_callers(hub).prober)
    assert (seen.node, seen.away, seen.failed, said in seen.tried) == ("eu-1", True, False, True)


def test_a_node_that_binds_every_address_is_looked_for_where_the_canary_knocks(hub: Hub, tmp_path: Path) -> None:
    [port] = free_ports(1)
    hub = replace(hub, settings=replace(hub.settings, canary_addresses=(Address("127.0.0.1", port),)))
    add(hub, tmp_path, "0.0.0.0")  # noqa: S104
    [seen] = call_by_nodes(hub, "12345678", make_callers(hub).prober)
    assert seen.tried == f"127.0.0.1:{port}"
