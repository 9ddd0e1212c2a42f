"""What Envoy refuses of a push is told to the operator, the rest is in force, and it is over when it is mended."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest
from tests.conftest import local_settings
from tests.wire.conftest import World

from bothways.cli.asking import Where
from bothways.cli.hub import status
from bothways.cli.opening import control
from bothways.operations.closure import reopen_endpoint, shut_endpoint
from bothways.operations.services import add_service
from bothways.operations.settings import Settings
from bothways.registry.service import Service

pytestmark = pytest.mark.envoy


@pytest.fixture(scope="module")
def world(make_running: Callable[[Settings], World]) -> World:
    """A hub that gives a change to all nodes: staged, the one node here would be given back what it had."""
    return make_running(replace(local_settings(), nodes_staged=False))


def apply(world: World) -> bool:
    applied = control(world.hub, "POST", "/apply")
    assert applied is not None
    return bool(applied["in_force"])


def test_a_push_that_envoy_refuses_is_told_and_holds_up_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The endpoint was shut, and another program took its port before it was opened again: it cannot be bound."""
    settings = world.hub.settings
    shut_endpoint(world.hub, "a stranger was let in")
    assert apply(world)
    with closing(socket.create_server((settings.inbound_address, settings.inbound_port))):
        reopen_endpoint(world.hub)
        assert not apply(world)
        assert status(where=Where(world.hub.directory)) == 1
        assert "cannot bind" in capsys.readouterr().out
        [node] = (control(world.hub, "GET", "/status") or {})["nodes"]
        assert (node["settled"], "cannot bind" in "".join(node["refused"].values())) == (False, True)
        # What is not refused comes into force: the new cluster is there.
        add_service(world.hub, Service("late", "/late", "http://127.0.0.1:9"))
        assert not apply(world)
        [node] = (control(world.hub, "GET", "/status") or {})["nodes"]
        assert [kind.rpartition(".")[2] for kind in node["refused"]] == ["Listener"]
    # The port is free again, and the next Envoy takes it.
    os.kill((control(world.hub, "GET", "/status") or {})["envoy"]["pid"], signal.SIGKILL)
    end = time.monotonic() + 30
    while not apply(world):
        assert time.monotonic() < end, "it did not come into force"
    assert [node["refused"] for node in (control(world.hub, "GET", "/status") or {})["nodes"]] == [{}]
    with world.open(world.certified()[0]) as line:
        world.apply()
        assert line.ask("/connectivity")[0] == 200
