"""`bothways node run` and `status`; what the agent does for its Envoy: `tests/wire/test_node_agent.py`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.conftest import free_ports

from bothways.cli.node_run import _secret
from bothways.dataplane.envoy_state import NOTHING, only_one, tell_state
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem
from bothways.xds.state import Address

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def node(hub: Hub, tmp_path: Path) -> Path:
    """The directory of a node whose hub does not run."""
    [port] = free_ports(1)
    there = replace(hub, settings=replace(hub.settings, nodes_port=port, nodes_connectivity_port=port))
    bootstrap_node(there, "eu-1", tmp_path / "eu-1", [Address("127.0.0.1", port)], [Address("127.0.0.1", port)])
    return tmp_path / "eu-1"


@pytest.mark.parametrize("command", ["run", "status"])
def test_a_directory_that_is_no_nodes_is_said(bothways: Run, tmp_path: Path, command: str) -> None:
    done = bothways("node", command, "--directory", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "bothways hub envoy-bootstrap" in done.stderr


def test_a_path_that_is_too_long_for_sockets_is_said_at_once(bothways: Run, node: Path, tmp_path: Path) -> None:
    far = node.rename(tmp_path / ("x" * 90))
    done = bothways("node", "run", "--directory", far)
    assert (done.returncode, "too long for unix sockets" in done.stderr) == (2, True)
    assert not (far / "run").exists()


def test_a_node_that_does_not_run_is_told(bothways: Run, node: Path) -> None:
    done = bothways("node", "status", "--directory", node)
    assert done.returncode == 1
    assert done.stdout.startswith("node eu-1 of the hub at 127.0.0.1:")
    assert "no Envoy runs here. Start it: bothways node run" in done.stdout


@pytest.mark.parametrize(
    ("source", "problem", "told", "code"),
    [
        ("hub", "", "its configuration comes from the hub", 0),
        ("snapshot", "", "the hub is away: what was in force at 2026-11-26 04:00 UTC serves", 0),
        ("nobody", "", "nothing was saved", 1),
        ("hub", "the disk is full", "problem: the disk is full", 1),
    ],
)
def test_whose_configuration_a_node_serves_is_told(
    bothways: Run, node: Path, source: str, problem: str, told: str, code: int
) -> None:
    (node / "run").mkdir()
    held = {"version": "1", "saved_at": "2026-11-26T04:00:00+00:00"} if source == "snapshot" else None
    said = {"pid": 1, "started_at": "2026-11-26T05:00:00+00:00", "restarts": 2}
    with only_one(node / "run"):
        tell_state(node / "run", NOTHING | said | {"source": source, "snapshot": held, "problem": problem})
        done = bothways("node", "status", "--directory", node)
        assert (done.returncode, told in done.stdout) == (code, True), done.stdout
        assert "Envoy runs since 2026-11-26 05:00 UTC, started again 2 times" in done.stdout
        document = json.loads(bothways("node", "status", "--directory", node, "--json").stdout)
    assert document["node"] == "eu-1"
    assert document["source"] == source


@pytest.mark.parametrize(("days", "code"), [(10, 5), (-1, 1)])
def test_a_certificate_that_ends_soon_or_has_ended_is_told(
    bothways: Run, node: Path, make_ca: Callable[..., tuple[object, object]], days: int, code: int
) -> None:

    _, ending = make_ca("eu-1", days=days, ca=False)
    (node / "tls.crt").write_text(certificate_pem(ending))  # type: ignore[arg-type]
    (node / "run").mkdir()
    with only_one(node / "run"):
        tell_state(node / "run", NOTHING | {"pid": 1, "started_at": "2026-11-26T05:00:00+00:00", "source": "hub"})
        done = bothways("node", "status", "--directory", node)
    assert done.returncode == code
    assert ("(it has ended)" in done.stdout) == (days < 0)


def test_what_the_snapshot_is_encrypted_with_is_made_once_and_may_be_elsewhere(node: Path, tmp_path: Path) -> None:
    first = _secret(node, None)
    assert (len(first), _secret(node, None)) == (43, first)
    assert (node / "passphrase").stat().st_mode & 0o777 == 0o600
    (tmp_path / "elsewhere").write_text("another\n")
    (tmp_path / "elsewhere").chmod(0o600)
    assert _secret(node, tmp_path / "elsewhere") == b"another"
