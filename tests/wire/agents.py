"""A remote node with its agent: `bothways node run` in a directory of its own, as another machine would have it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.conftest import free_ports
from tests.eventually import SECONDS, eventually
from tests.wire.conftest import World
from tests.wire.test_nodes import bootstrap

from bothways.dataplane.child import ending_with
from bothways.dataplane.envoy_state import state_of
from bothways.operations.hub import Hub
from bothways.registry.node import Binding


@dataclass
class Agent:
    """The node's directory, and the process that is started there."""

    name: str
    directory: Path
    binding: Binding
    process: "subprocess.Popen[bytes]"

    @property
    def state(self) -> dict[str, Any]:
        return state_of(self.directory / "run")

    @property
    def log(self) -> str:
        return (self.directory.parent / f"{self.name}.log").read_text()

    def becomes(self, **wanted: object) -> None:
        eventually(lambda: wanted.items() <= self.state.items(), f"{wanted} was wanted of {self.name}")

    def at(self, world: World) -> World:
        """Return the world as seen by customers that call this node, and by services beside it."""
        settings = replace(
            world.hub.settings, inbound_port=self.binding.inbound_port, egress_port=self.binding.egress_port
        )
        return replace(world, hub=replace(world.hub, settings=settings))

    def kill_envoy(self) -> None:
        before = self.state["pid"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: self.state["pid"] not in {None, before}, "Envoy was not started again")

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(SECONDS)

    def start(self) -> None:
        self.process = _started(self.name, self.directory)
        eventually(lambda: self.state["pid"] is not None, f"{self.name} started no Envoy")


@contextmanager
def agent(hub: Hub, name: str, directory: Path) -> Iterator[Agent]:
    """Put a node on record, and run its agent. The path is to be short, because unix sockets have short names."""
    ports = free_ports(2)
    binding = Binding("127.0.0.1", ports[0], "127.0.0.1", ports[1])
    bootstrap(hub, name, directory, binding)
    made = Agent(name, directory, binding, _started(name, directory))
    try:
        eventually(lambda: made.state["pid"] is not None, f"{name} started no Envoy")
        yield made
    finally:
        made.end()


def _started(name: str, directory: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bothways", "node", "run", "--directory", str(directory)]
    with (directory.parent / f"{name}.log").open("ab") as log:
        return subprocess.Popen(ending_with(os.getpid(), command), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
