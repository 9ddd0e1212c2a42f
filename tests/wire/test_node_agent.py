"""A remote node with its agent goes on without the hub: killed, restarted and renewed under load, it serves."""

import signal
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from tests.eventually import eventually
from tests.wire.agents import Agent, agent
from tests.wire.conftest import ISSUER, World, stored_world
from tests.wire.load import Load
from tests.wire.test_nodes import nodes, settled, with_nodes
from tests.wire.test_survival import Running

from bothways.operations.certificates import revoke_certificate
from bothways.operations.services import grant_service
from bothways.operations.settings import EnvoyLifetime
from bothways.pki.revocation import RevocationReason
from bothways.spoke.directory import Spoke

pytestmark = pytest.mark.envoy


@pytest.fixture
def hub_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A hub that lets nodes in, with its process in our hands."""
    with ExitStack() as stack:
        settings = replace(with_nodes(), envoy_lifetime=EnvoyLifetime.DETACHED)
        running = Running(stored_world(stack, tmp_path_factory.mktemp("w"), settings))
        stack.callback(running.end)
        yield running


@pytest.fixture
def node(hub_of: Running) -> Iterator[Agent]:
    """A node of this hub that is up to date."""
    with agent(hub_of.world.hub, "eu-1", hub_of.world.directory / "eu-1") as made:
        settled(hub_of.world.hub, "eu-1")
        yield made


def test_a_node_is_restarted_without_the_hub_and_serves_what_was_in_force(hub_of: Running, node: Agent) -> None:
    world, there = hub_of.world, node.at(hub_of.world)
    (spoke, _), (revoked, serial) = world.connected(), world.connected()
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    world.apply()
    hub_of.kill()
    with Load(there, spoke) as load:
        load.wait_for_more()
        node.becomes(source="snapshot")
        load.wait_for_more()
        assert load.lost == []
        node.kill_envoy()
        load.wait_for_more()
        assert load.lost, "the crash was not noticed"
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"), there.tls(there.context(revoked)) as line:
            line.recv(1)
        load.lost.clear()
        hub_of.start()
        settled(world.hub, "eu-1")
        node.becomes(source="hub")
        load.wait_for_more()
        # And the hub has it in hand again.
        grant_service(world.hub, "vault", ISSUER)
        world.apply()
        with there.open(spoke) as line:
            line.until("/vault", 200)
    assert load.lost == []


def test_the_machine_of_a_node_is_started_without_the_hub(hub_of: Running, node: Agent) -> None:
    world, there = hub_of.world, node.at(hub_of.world)
    (spoke, _), (revoked, serial) = world.connected(), world.connected()
    with Load(there, spoke) as load:
        load.wait_for_more()
        node.process.send_signal(signal.SIGHUP)
        node.becomes(hot_restarts=1)
        load.wait_for_more(100)
    assert load.lost == []
    # Two Envoys for a while: what the newer one has confirmed is what is saved.
    assert len(nodes(world.hub)["eu-1"]) == 2
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    world.apply()
    hub_of.kill()
    node.end()
    node.start()
    node.becomes(source="snapshot")
    eventually(lambda: serves(there, spoke), "what was saved is not served")
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"), there.tls(there.context(revoked)) as line:
        line.recv(1)
    # What was saved is files that nobody else can read, and that say nothing without the passphrase.
    for path in (node.directory / "run" / "snapshot").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"PRIVATE KEY" not in path.read_bytes()


def serves(there: World, spoke: Spoke) -> bool:
    """Tell whether the customer's request is answered there; an Envoy that starts takes none at first."""
    try:
        with there.open(spoke) as line:
            return line.ask("/tokens")[0] == 200
    except OSError:
        return False
