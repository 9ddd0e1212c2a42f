"""A hub serves remote nodes if its settings say so; what it serves: `tests/wire/test_nodes.py`."""

from dataclasses import replace

import pytest
from fastapi import FastAPI

from bothways.cli.hub_nodes import TowardsNodes
from bothways.dataplane.ads import AdsServer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.xds.snapshot import build_snapshot


@pytest.mark.parametrize(("ports", "parts"), [((0, 0), 0), ((18000, 18001), 2)])
def test_nothing_is_served_to_nodes_unless_the_settings_say_so(hub: Hub, ports: tuple[int, int], parts: int) -> None:
    hub = replace(hub, settings=replace(hub.settings, nodes_port=ports[0], nodes_connectivity_port=ports[1]))
    state = hub_state(hub)
    nodes = TowardsNodes(hub, state, lambda: 0)
    nodes.follow(state)
    made = nodes.parts(AdsServer(hub.run_directory / "ads.sock", build_snapshot(state), nodes.admission), FastAPI())
    for each in made:
        each.close()
    assert len(made) == parts
