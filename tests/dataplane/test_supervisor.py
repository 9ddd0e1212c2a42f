"""Envoy is kept running beside the hub, and without it."""

import asyncio
import os
import select
import signal
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from tests.dataplane.conftest import Await, is_alive

from bothways.dataplane import supervisor
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.envoy_state import NOTHING, is_kept, state_of
from bothways.dataplane.publisher import current_snapshot
from bothways.dataplane.stand_in import HUB_SOCKET
from bothways.dataplane.supervisor import ADMIN_SOCKET, BOOTSTRAP, LOG, Site, fingerprint, supervise
from bothways.errors import Conflict, Unusable
from bothways.operations.directory import passphrase
from bothways.operations.hub import Hub, now
from bothways.xds.names import embedded_node

pytestmark = pytest.mark.envoy


def site_of(hub: Hub, envoy: str = "") -> Site:
    return Site(hub.run_directory, embedded_node("PPR"), envoy, lambda: passphrase(hub.directory, hub.settings))


def test_it_says_what_runs_and_where_the_configuration_comes_from(
    hub: Hub, supervisor: "subprocess.Popen[bytes]"
) -> None:
    state = state_of(hub.run_directory)
    assert state.keys() == NOTHING.keys()
    assert (state["supervisor"], state["source"], state["restarts"]) == (supervisor.pid, "nobody", 0)
    assert datetime.fromisoformat(state["started_at"]) <= now()
    assert (hub.run_directory / "envoy-state.json").stat().st_mode & 0o777 == 0o600
    assert (hub.run_directory / BOOTSTRAP).read_bytes() == site_of(hub).bootstrap()


def test_an_order_to_end_ends_both_and_leaves_no_sockets_of_theirs(
    hub: Hub, supervisor: "subprocess.Popen[bytes]"
) -> None:
    envoy = state_of(hub.run_directory)["pid"]
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(30) == 0
    assert (is_alive(envoy), is_kept(hub.run_directory)) == (False, False)
    assert list(hub.run_directory.glob("hot_*")) == []


def test_envoy_ends_with_a_supervisor_that_is_killed(hub: Hub, supervisor: "subprocess.Popen[bytes]") -> None:
    envoy = os.pidfd_open(state_of(hub.run_directory)["pid"])
    try:
        supervisor.kill()
        assert select.select([envoy], [], [], 30)[0], "Envoy outlived what keeps it"
    finally:
        os.close(envoy)
    supervisor.wait(30)
    assert state_of(hub.run_directory) == NOTHING


def test_the_saved_snapshot_is_served_and_survives_a_crash_of_envoy(
    hub: Hub, state_becomes: Await, request: pytest.FixtureRequest
) -> None:
    site_of(hub).saved.save(current_snapshot(hub), hub.now())
    request.getfixturevalue("supervisor")
    state = state_becomes(lambda state: state["source"] == "snapshot")
    assert state["snapshot"]["version"] == current_snapshot(hub).version
    os.kill(state["pid"], signal.SIGKILL)
    after = state_becomes(lambda after: after["pid"] not in {None, state["pid"]})
    assert (after["restarts"], after["source"]) == (1, "snapshot")


def test_a_hot_restart_brings_a_new_envoy_as_soon_as_the_old_one_serves(
    hub: Hub, supervisor: "subprocess.Popen[bytes]", state_becomes: Await
) -> None:
    async def serve() -> None:
        server = AdsServer(hub.run_directory / HUB_SOCKET, current_snapshot(hub))
        await server.start()
        before = await asyncio.to_thread(state_becomes, lambda state: state["source"] == "hub")
        await server.confirmed()
        supervisor.send_signal(signal.SIGHUP)
        after = await asyncio.to_thread(state_becomes, lambda state: state["hot_restarts"] == 1)
        assert after["pid"] != before["pid"]
        # The old one goes on for the connections that it has.
        assert is_alive(before["pid"])
        assert len(server.nodes()) == 2
        await server.stop()

    asyncio.run(serve())


def test_a_second_one_for_the_same_directory_is_refused(hub: Hub, supervisor: "subprocess.Popen[bytes]") -> None:
    with pytest.raises(Conflict, match="kept running"):
        supervise(site_of(hub), now)
    assert supervisor.poll() is None


def test_a_missing_envoy_is_said_before_anything_is_done(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"files\.envoy"):
        supervise(site_of(hub, str(tmp_path / "none")), now)
    assert {each.name for each in hub.run_directory.iterdir()} & {ADMIN_SOCKET, LOG, BOOTSTRAP} == set()


def test_an_installed_binary_is_told_from_the_one_before(tmp_path: Path) -> None:
    binary = tmp_path / "envoy"
    binary.write_bytes(b"one")
    first = fingerprint(binary)
    assert fingerprint(binary) == first
    (tmp_path / "new").write_bytes(b"two")
    (tmp_path / "new").replace(binary)
    assert fingerprint(binary) != first


def test_the_number_for_hot_restarts_makes_no_long_names_of_sockets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Highest:
        def __init__(self, _content: bytes) -> None:
            pass

        def digest(self) -> bytes:
            return bytes([0xFF]) * 32

    monkeypatch.setattr(supervisor, "sha256", Highest)
    assert 10 * supervisor._number(tmp_path) + 9 < 1 << 31
