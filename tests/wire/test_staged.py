"""One node first, with real remote Envoys: what it refuses no other sees, be the control plane killed meanwhile."""

import os
import signal
import socket
import ssl
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.conftest import running
from tests.wire.test_nodes import RemoteEnvoy, nodes, remote_envoy, settled, until, with_nodes

from bothways.cli.opening import control
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, sign_for_hub
from bothways.operations.rollout import try_again
from bothways.operations.settings import Settings
from bothways.registry.service import Service
from bothways.store import services
from bothways.store.authorities import Role
from bothways.store.schema import service

pytestmark = pytest.mark.envoy

ADDED = "cluster_manager.cluster_added"


@pytest.fixture
def settings() -> Settings:
    return replace(with_nodes(), nodes_first="eu-1")


def held_back(hub: Hub) -> dict[str, str] | None:
    status = control(hub, "GET", "/status")
    assert status
    found: dict[str, str] | None = status["held_back"]
    return found


def in_force(hub: Hub) -> object:
    applied = control(hub, "POST", "/apply")
    assert applied
    return applied["in_force"]


def add(hub: Hub, health_path: str) -> None:
    """Put a service behind the endpoint, past all rules: as if they did not know what Envoy refuses.

    In one change: of two, the first one would be at all nodes before the second.
    """
    with hub.write() as transaction:
        services.add(transaction, Service("cards", "/cards", "http://127.0.0.1:9000", health_path=health_path))


def mend(hub: Hub, health_path: str) -> None:
    """Have the service checked at this path."""
    with hub.write() as transaction:
        transaction.connection.execute(update(service).values(health_path=health_path))


def sign(hub: Hub, host: str = "") -> None:
    """Put another certificate of the endpoint to use; with a host, one of another name, as if the terms were wrong."""
    terms = replace(hub.terms, endpoint=f"https://{host}", portal=f"https://{host}") if host else hub.terms
    with hub.write() as transaction:
        sign_for_hub(replace(hub, terms=terms), transaction, Role.SERVER)


# The law is that of `test_rollout.py` and `test_canary.py`, each with one side of it made up; here both are real.
@pytest.mark.soak
def test_a_certificate_by_which_the_canary_does_not_know_the_endpoint_stays_at_one_node_and_is_taken_back(
    hub: Hub, tmp_path: Path
) -> None:
    def shown(*ports: int) -> set[bytes | None]:
        """Return the certificates of the endpoint at these doors."""
        found = set()
        for port in ports:
            with (
                socket.create_connection(("127.0.0.1", port), 20) as plain,
                anybody.wrap_socket(plain, server_hostname=hub_state(hub).host) as line,
            ):
                found.add(line.getpeercert(binary_form=True))
        return found

    def taken_back() -> dict[str, str]:
        """Wait until the change is held back for what the canary saw, and its node has what all have."""
        held: dict[str, str] = until(lambda: held_back(hub), "nothing is held back")
        assert held["node"] == "eu-1"
        assert "and strangers are not seen to be refused at 127.0.0.1:" in held["why"]
        assert "Hostname mismatch" in held["why"]
        settled(hub, "eu-1", "eu-2", "ppr-embedded")
        assert shown(*doors) == before
        assert (other.counters(), in_force(hub)) == (counted, False)
        return held

    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with ExitStack() as stack:
        stack.enter_context(running(hub))
        first, other = (stack.enter_context(remote_envoy(hub, each, tmp_path / each)) for each in ("eu-1", "eu-2"))
        settled(hub, "eu-1", "eu-2", "ppr-embedded")
        doors = first.inbound_port, other.inbound_port, hub.settings.inbound_port
        [_] = before = shown(*doors)
        counted = other.counters()
        sign(hub, "else.example")
        taken_back()
        # At once, before the canary has seen by itself that strangers are refused there again.
        assert try_again(hub)
        until(lambda: held_back(hub) is None, "it is not tried again")
        taken_back()
        sign(hub)
        assert in_force(hub) is True
        assert held_back(hub) is None
        [after] = shown(*doors)
        assert after not in before


def test_what_one_node_refuses_no_other_sees_and_a_control_plane_that_was_killed_keeps_to_it(
    hub: Hub, tmp_path: Path
) -> None:
    def have_it(*envoys: RemoteEnvoy) -> list[bool]:
        return ["service/cards::" in each.admin("/clusters") for each in envoys]

    with ExitStack() as stack:
        with running(hub) as process:
            first, other = (stack.enter_context(remote_envoy(hub, each, tmp_path / each)) for each in ("eu-1", "eu-2"))
            settled(hub, "eu-1", "eu-2", "ppr-embedded")
            before = other.counters()
            add(hub, "/no\nsuch")
            until(lambda: held_back(hub), "nothing is held back")
            assert in_force(hub) is False
            held = held_back(hub)
            assert held
            assert held["node"] == "eu-1"
            assert "and refused it: " in held["why"]
            assert "Path" in held["why"]
            # The first is rid of it again.
            settled(hub, "eu-1", "eu-2", "ppr-embedded")
            assert nodes(hub)["eu-1"][0]["refused"] == {}
            os.kill(process.pid, signal.SIGKILL)
        with running(hub):
            settled(hub, "eu-1", "eu-2", "ppr-embedded")
            assert (held_back(hub), in_force(hub)) == (held, False)
            assert other.counters() == before
            mend(hub, "/health")
            assert in_force(hub) is True
            assert held_back(hub) is None
            assert have_it(first, other) == [True, True]
            assert other.counters()[ADDED] == before[ADDED] + 1
