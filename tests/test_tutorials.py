"""The two tutorials, run together line by line, as they are printed, in a clean directory."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
APART = "# in a terminal of its own\n"
PORTS = (8443, 8444, 9000, 9443, 15001)

pytestmark = [pytest.mark.envoy, pytest.mark.timeout(300)]


def blocks(page: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", (DOCS / page).read_text(), flags=re.DOTALL)


@contextmanager
def terminal(block: str, directory: Path) -> Iterator[None]:
    with (directory / "terminal.log").open("ab") as log:
        process = subprocess.Popen(
            ["bash", "-c", block], cwd=directory, stdout=log, stderr=log, start_new_session=True, env=environment()
        )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(15)


def run(block: str, directory: Path) -> str:
    done = subprocess.run(
        ["bash", "-ec", block],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def wait_for(port: int, log: Path | None = None) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text() if log else ""
    if "in use" in said:
        pytest.skip(f"a port that the tutorials name is in use: {said}")
    pytest.fail(f"nothing listens on port {port}: {said}")


def test_both_tutorials_work_as_they_are_printed(tmp_path: Path) -> None:
    for program in ("openssl", "curl", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not on PATH")
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port}, which the tutorials name, is in use")
    init, run_hub, service, register, request, chain, calls, shut = blocks("tutorial-operator.md")
    begin, csr, install, server, listen, again = blocks("tutorial-customer.md")
    assert all(block.startswith(APART) for block in (run_hub, service, listen))
    run(init, tmp_path)
    with terminal(run_hub, tmp_path), terminal(service, tmp_path):
        wait_for(9443, tmp_path / "terminal.log")
        run(register, tmp_path)
        run(begin, tmp_path)
        run(csr, tmp_path)
        run(request, tmp_path)
        assert '"token": "4111"' in run(install, tmp_path)
        run(server, tmp_path)
        with terminal(listen, tmp_path):
            wait_for(8443)
            assert "outbound: established" in run(chain, tmp_path)
            assert run(calls, tmp_path).count('"received": true') == 2
            assert "nothing is wrong" in run(again, tmp_path)
            run(shut, tmp_path)
