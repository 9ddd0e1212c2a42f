import os
import socket
import threading
from pathlib import Path

import pytest
from tests.conftest import free_ports
from tests.wire.conftest import World

from bothways.cli.sidecar_process import run_sidecar
from bothways.dataplane.envoy_state import only_one
from bothways.errors import Conflict, Unreachable, Unusable
from bothways.operations.hub import Hub
from bothways.spoke.directory import Spoke
from bothways.spoke.sidecar import Sidecar
from bothways.spoke.sidecar_files import SidecarFiles
from bothways.xds.state import Address

pytestmark = pytest.mark.envoy


@pytest.fixture
def spoke(hub: Hub, issuer: str, tmp_path: Path) -> Spoke:
    return World(hub, tmp_path).certified(issuer)[0]


def made(spoke: Spoke, run_directory: Path, port: int) -> SidecarFiles:
    pairs = {"client-pair": (spoke.certificate_file, spoke.key_file)}
    return SidecarFiles(
        spoke, lambda now: Sidecar(now.contract, run_directory, Address("127.0.0.1", port)), pairs, print
    )


def test_a_port_that_is_taken_is_said_and_nothing_is_left_running(spoke: Spoke, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "run").mkdir()
        with pytest.raises(Unreachable, match=r"Address already in use.*--local-port"):
            run_sidecar(lambda: made(spoke, tmp_path / "run", port), tmp_path / "run", "", print, print)


def test_an_envoy_that_is_none_is_said(spoke: Spoke, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"bothways\[sidecar\]"):
        run_sidecar(lambda: made(spoke, tmp_path, 1), tmp_path, str(tmp_path / "no-envoy"), print, print)
    (tmp_path / "run").mkdir()
    with pytest.raises(Unusable, match=r"Envoy does not start"):
        run_sidecar(lambda: made(spoke, tmp_path / "run", 1), tmp_path / "run", "/bin/false", print, print)


def test_one_sidecar_runs_in_a_directory(spoke: Spoke, tmp_path: Path) -> None:
    with only_one(tmp_path), pytest.raises(Conflict, match="kept running"):
        run_sidecar(lambda: made(spoke, tmp_path, 1), tmp_path, "", print, print)


def test_it_serves_until_it_is_told_to_end(spoke: Spoke, tmp_path: Path) -> None:
    [port] = free_ports(1)
    (tmp_path / "run").mkdir()
    served = list[int]()

    def ready(_: SidecarFiles) -> None:
        with socket.create_connection(("127.0.0.1", port), 10):
            served.append(port)
        threading.Timer(0, os.kill, (os.getpid(), 15)).start()

    run_sidecar(lambda: made(spoke, tmp_path / "run", port), tmp_path / "run", "", ready, print)
    assert served == [port]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 10)
