"""A remote node with its agent goes on without the hub: killed, restarted and renewed under load, it serves."""

import signal
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.eventually import eventually
from tests.wire.agents import Agent, agent
from tests.wire.conftest import ISSUER, World, stored_world
from tests.wire.load import Load
from tests.wire.test_nodes import connectivity, nodes, settled, stream, with_nodes
from tests.wire.test_rotation import python as customers_server
from tests.wire.test_survival import Running, called

from bothways.cli.opening import control
from bothways.demo.customer_ca import make_server_files
from bothways.operations.authorities import add_node_authority, list_authorities, retire_authority
from bothways.operations.certificates import revoke_certificate
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, now, serial_number
from bothways.operations.nodes import OVERLAP, list_nodes
from bothways.operations.services import grant_service
from bothways.operations.settings import EnvoyLifetime
from bothways.operations.upkeep import upkeep
from bothways.pki import issue, profile
from bothways.pki.chain import certificate_pem, fingerprint, issued_by
from bothways.pki.revocation import RevocationReason
from bothways.spoke.directory import Spoke
from bothways.store import authorities
from bothways.store import nodes as nodes_stored
from bothways.store.authorities import Role

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


def test_a_node_is_restarted_without_the_hub_and_serves_what_was_in_force(
    hub_of: Running, node: Agent, tmp_path: Path
) -> None:
    world, there = hub_of.world, node.at(hub_of.world)
    (spoke, _), (revoked, serial) = world.connected(), world.connected()
    revoke_certificate(world.hub, serial, RevocationReason.KEY_COMPROMISE)
    world.apply()
    with customers_server(world, "KEPT", make_server_files(tmp_path, "Bank", "kept.localhost")):
        # Asked for on the second stream, through the agent.
        eventually(lambda: called(there, "KEPT"), "the node does not call the customer")
        eventually(lambda: loaded(world, "eu-1") == 1, "the node has not confirmed the customer's server")
        hub_of.kill()
        goes_on_without_the_hub(hub_of, node, spoke, revoked)


def goes_on_without_the_hub(hub_of: Running, node: Agent, spoke: Spoke, revoked: Spoke) -> None:
    """Have the hub, which was killed, start again, and the node's Envoy meanwhile."""
    world, there = hub_of.world, node.at(hub_of.world)
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
        eventually(lambda: called(there, "KEPT"), "the saved snapshot does not lead to the customer")
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
        assert called(there, "KEPT")
    assert load.lost == []


def loaded(world: World, name: str) -> int:
    """Return how many customers' servers a node has loaded, as the hub knows."""
    [node] = nodes(world.hub)[name]
    return int(node["customers"])


@pytest.mark.soak
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


def test_a_nodes_certificate_is_renewed_and_no_request_is_lost(hub_of: Running, node: Agent) -> None:
    world, there = hub_of.world, node.at(hub_of.world)
    spoke, _ = world.connected()
    node.end()
    before = grown_old(world.hub, node.directory)
    node.start()
    eventually(lambda: serves(there, spoke), "the node does not serve")
    with Load(there, spoke) as load, Load(there, spoke, "/connectivity") as page:
        load.wait_for_more()
        eventually(lambda: (node.directory / "tls.crt").read_bytes() != before, "it was not renewed")
        [found] = list_nodes(world.hub)
        newest = found["certificates"][0]["fingerprint"]
        assert newest == fingerprint(x509.load_pem_x509_certificate((node.directory / "tls.crt").read_bytes()))
        eventually(lambda: list_nodes(world.hub)[0]["certificates"][0]["used_at"], "it was not shown")
        settled(world.hub, "eu-1")
        load.wait_for_more()
        page.wait_for_more()
    assert (load.lost, page.lost) == ([], [])
    assert node.state["problem"] == ""


@pytest.mark.soak
def test_the_node_ca_is_replaced_and_no_request_is_lost(hub_of: Running, node: Agent, tmp_path: Path) -> None:
    world, there = hub_of.world, node.at(hub_of.world)
    hub, (spoke, _) = world.hub, world.connected()
    of_old = (node.directory / "tls.key").read_bytes(), (node.directory / "tls.crt").read_bytes()
    with Load(there, spoke) as load:
        with Load(there, spoke, "/connectivity") as page:
            load.wait_for_more()
            added = add_node_authority(hub)
            world.apply()
            # It would find out within the hour.
            node.process.send_signal(signal.SIGHUP)
            eventually(lambda: used_under(hub) == added.id, "it was not renewed under the next CA")
            settled(hub, "eu-1")
            page.wait_for_more()
        assert (load.lost, page.lost) == ([], [])
        upkeep(hub)
        world.apply()
        control_plane = hub_state(hub).control_plane
        assert control_plane is not None
        shown = x509.load_pem_x509_certificate(control_plane.pair.certificate_pem.encode())
        assert issued_by(shown, added.certificate)
        # The node's own connections of before go on for a while.
        assert stream(hub, of_old, "eu-1") == grpc.StatusCode.OK
        old = next(each["id"] for each in list_authorities(hub) if each["role"] == "node" and each["id"] != added.id)
        retire_authority(replace(hub, now=lambda: now() + OVERLAP), old, "tested")
        world.apply()
        # On record it still is: it is the handshake that refuses it, at both ports.
        assert stream(hub, of_old, "eu-1") == grpc.StatusCode.UNAVAILABLE
        (tmp_path / "old.pem").write_bytes(of_old[0] + of_old[1])
        context = ssl.create_default_context(cadata=control_plane.anchors.pem)
        context.load_cert_chain(tmp_path / "old.pem")
        assert connectivity(hub, context) is None
        # Whoever comes back finds the control plane under the next CA alone.
        hub_of.kill()
        hub_of.start()
        settled(hub, "eu-1")
        load.wait_for_more()
    assert load.lost == []
    assert node.state["problem"] == ""


def used_under(hub: Hub) -> int | None:
    """Return the CA of the node's newest certificate, once that was shown."""
    newest = list_nodes(hub)[0]["certificates"][0]
    return newest["authority"] if newest["used_at"] else None


def grown_old(hub: Hub, directory: Path) -> bytes:
    """Put a certificate of the node in its place that has a month to go of a year; return it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), hub.now()
    wanted = profile.node("eu-1", hub.terms.hub, hub.environment, key.public_key(), now)
    wanted = replace(wanted, not_before=now - timedelta(days=330), not_after=now + timedelta(days=30))
    with hub.write() as transaction:
        issuer = authorities.signing_authority(transaction.connection, Role.NODE)
        unsigned = issue.issued_by(issuer.certificate, wanted, serial_number())
        signer = hub.keys.signer_of(issuer.certificate, issuer.key_name)
        made = issue.assemble(unsigned, signer.sign(unsigned))
        nodes_stored.add_certificate(transaction, nodes_stored.find(transaction.connection, "eu-1").id, made, issuer)
    control(hub, "POST", "/apply")
    (directory / "tls.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (directory / "tls.crt").write_text(certificate_pem(made))
    return certificate_pem(made).encode()


def serves(there: World, spoke: Spoke) -> bool:
    """Tell whether the customer's request is answered there; an Envoy that starts takes none at first."""
    try:
        with there.open(spoke) as line:
            return line.ask("/tokens")[0] == 200
    except OSError:
        return False
