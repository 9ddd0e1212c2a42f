"""The stage of the demo: two hubs, two customers in each, and what belongs to them. Steps act on it (`steps.py`)."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bothways.contract.document import Environment, KeyType
from bothways.contract.subject import Subject
from bothways.demo.customer_ca import make_server_files
from bothways.demo.echo import echo_service
from bothways.demo.process import BothwaysProcess
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.settings import EnvoyLifetime, Settings
from bothways.registry.customer import CustomerKind
from bothways.spoke.directory import Spoke

OPERATOR, REVIEWER = "demo operator", "demo reviewer"


@dataclass(slots=True)
class Party:
    """A customer in one environment: its spoke, its server, and what it was given."""

    kind: CustomerKind
    tsp_id: str
    organization: str
    key_type: KeyType
    directory: Path
    host: str
    receiver: BothwaysProcess | None = None
    serial: str = ""
    spoke: Spoke | None = None

    @property
    def opened(self) -> Spoke:
        """The spoke, once the contract was read."""
        if self.spoke is None:
            raise RuntimeError("the contract was not read")
        return self.spoke

    @property
    def listening(self) -> BothwaysProcess:
        """The server, once it was started."""
        if self.receiver is None:
            raise RuntimeError("the customer's server was not started")
        return self.receiver

    def start_server(self) -> None:
        """Start the customer's own server, a process that is ready some time later."""
        made = make_server_files(self.directory, self.organization, self.host)
        arguments = ["spoke", "listen", "--directory", str(self.directory), "--address", "127.0.0.1", "--port", "0"]
        arguments += ["--certificate", str(made.certificate), "--key", str(made.key)]
        self.receiver = BothwaysProcess(arguments, self.directory / "listen.log")

    @property
    def subject(self) -> Subject:
        """The subject of its requests."""
        return Subject("FR", "Ile-de-France", "Paris", self.organization, "Payments")


@dataclass(slots=True)
class Scene:
    """One environment: its hub as a process, the same hub opened for the operator, and the customers in it."""

    environment: Environment
    hub: Hub
    process: BothwaysProcess
    echo_port: int
    parties: tuple[Party, ...]
    fingerprint: str = ""

    @property
    def reviewer(self) -> Hub:
        """The same hub opened for the second person, who confirms what the operator hands in."""
        return replace(self.hub, actor=REVIEWER)


@dataclass(slots=True)
class Stage:
    """Everything that the demo started."""

    directory: Path
    scenes: dict[Environment, Scene] = field(default_factory=dict)

    def end_processes(self) -> None:
        """End all hubs and servers, all at once."""
        processes = [scene.process for scene in self.scenes.values()]
        processes += [party.receiver for scene in self.scenes.values() for party in scene.parties if party.receiver]
        for process in processes:
            process.terminate()
        for process in processes:
            process.stop()


@contextmanager
def set_stage(directory: Path) -> Iterator[Stage]:
    """Make and start both hubs in `directory`; end everything that was started, whatever happens."""
    with ExitStack() as stack:
        stage = Stage(directory)
        for environment in Environment:
            stage.scenes[environment] = _scene(stack, directory / environment.value.lower(), environment)
        stack.callback(stage.end_processes)
        yield stage


def _scene(stack: ExitStack, directory: Path, environment: Environment) -> Scene:
    name = environment.value.lower()
    inbound, portal, egress = _free_ports(3)
    settings = Settings(
        inbound_port=inbound,
        portal_port=portal,
        egress_port=egress,
        # A demo that is killed leaves nothing behind.
        envoy_lifetime=EnvoyLifetime.HUB,
        danger_outbound_loopback=True,
        danger_outbound_any_port=True,
        # The acts probe themselves, in their order.
        scheduled_probes=False,
    )
    # Names under localhost are this machine by definition (RFC 6761), so that nothing has to be configured.
    initialise(directory / "hub", new_terms(environment, f"{name}.hub.localhost", settings), settings, OPERATOR)
    process = BothwaysProcess(["hub", "run", "--directory", str(directory / "hub")], directory / "hub.log")
    # Once more at the end of all: if the other hub cannot be made, this one must not stay behind.
    stack.callback(process.stop)
    echo_port = stack.enter_context(echo_service())
    hub = stack.enter_context(open_hub(directory / "hub", OPERATOR))
    return Scene(environment, hub, process, echo_port, _parties(directory, name))


def _parties(directory: Path, name: str) -> tuple[Party, ...]:
    return (
        Party(
            CustomerKind.ISSUER,
            "12345678",
            "First Bank",
            KeyType.ECDSA,
            directory / "issuer",
            f"issuer.{name}.localhost",
        ),
        Party(
            CustomerKind.MERCHANT,
            "87654321",
            "Corner Shop",
            KeyType.RSA,
            directory / "merchant",
            f"merchant.{name}.localhost",
        ),
    )


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
