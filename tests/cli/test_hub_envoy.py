"""`bothways hub envoy` runs without the hub, and needs neither its database nor its signers."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.postgresql import in_files

from bothways.cli.hub_envoy import hub_site
from bothways.dataplane.supervised import supervisor_command
from bothways.operations.hub import Hub

Run = Callable[..., "CompletedProcess[str]"]


def test_a_directory_without_a_hub_is_said(bothways: Run, tmp_path: Path) -> None:
    done = bothways("hub", "envoy", "--directory", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "hub.toml" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_site_is_the_one_the_hub_knows(hub: Hub) -> None:
    site = hub_site(hub.directory, hub.settings)
    assert (site.run_directory, site.node) == (hub.run_directory, "ppr-embedded")
    assert site.secret() == (hub.directory / "passphrase").read_bytes().strip()


@in_files
@pytest.mark.envoy
def test_it_runs_where_the_database_is_gone_and_ends_in_good_order(hub: Hub) -> None:
    (hub.directory / "hub.db").rename(hub.directory / "away.db")
    command = supervisor_command(hub.directory)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            while not (hub.run_directory / "admin.sock").exists():
                assert process.poll() is None, process.stderr.read()
        finally:
            process.send_signal(signal.SIGTERM)
        assert "Traceback" not in process.stderr.read()
    assert process.returncode == 0


@pytest.mark.parametrize("process", ["hub_envoy", "node_run"])
def test_what_keeps_envoy_running_loads_nothing_of_the_database(process: str) -> None:
    script = f"import sys, bothways.cli.{process}; print(sorted({{'sqlalchemy', 'fastapi'}} & sys.modules.keys()))"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "[]\n"
