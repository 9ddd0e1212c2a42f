"""A caller that is told from all others by its address, and what the hub observed of it."""

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from tests.wire.conftest import Line, World

from bothways.connectivity.observation import MatchedBy, Observation
from bothways.operations.observations import list_observations
from bothways.spoke.directory import Spoke

_DEADLINE = 20.0
_PLACES = count(1)


def next_caller(world: World) -> "Caller":
    """Return a caller from an address that nobody called from before."""
    return Caller(world, f"127.0.1.{next(_PLACES)}")


@dataclass(slots=True)
class Caller:
    """Calls the endpoint from a loopback address of its own, by which its observations are told from all others."""

    world: World
    source: str

    def plain(self) -> socket.socket:
        address = (self.world.hub.settings.inbound_address, self.world.hub.settings.inbound_port)
        return socket.create_connection(address, 10, source_address=(self.source, 0))

    def fail(self, context: ssl.SSLContext, name: str | None = "") -> None:
        """Shake hands, which must not lead to anything."""
        server_name = self.world.host.split(":")[0] if name == "" else name
        with (
            contextlib.suppress(OSError),
            self.plain() as line,
            context.wrap_socket(line, server_hostname=server_name) as secured,
        ):
            assert not secured.recv(1)

    def open(self, spoke: Spoke) -> Line:
        context = self.world.context(spoke)
        return Line(context.wrap_socket(self.plain(), server_hostname=self.world.host.split(":")[0]), self.world.host)

    def observed(self, tsp_id: str | None = None) -> Observation:
        """Return the one observation of this caller, waiting for it; of this customer, or of nobody."""

        def found() -> list[Observation]:
            return [each for each in list_observations(self.world.hub) if each.source == self.source]

        waited(lambda: bool(found()))
        [one] = found()
        assert one.tsp_id == tsp_id
        return one


def said(observation: Observation) -> tuple[str, MatchedBy | None]:
    return observation.finding.id, observation.matched_by


def waited(done: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
