"""The hub's units and image in `docs/examples`: what reads them takes them, and what they call is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.examples import EXAMPLES, understood
from tests.programs import require

from bothways.xds.overload import CONNECTIONS

ROOT = Path(__file__).parent.parent
UNITS = {"bothways-hub": "operation", "bothways-envoy": "operation", "bothways-node": "nodes"}
_PROGRAM = re.compile(r"/opt/bothways/bin/\w+")


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit_and_its_page_names_it(tmp_path: Path, name: str) -> None:
    unit = (EXAMPLES / f"{name}.service").read_text()
    assert f"examples/{name}.service" in (ROOT / "docs" / f"{UNITS[name]}.md").read_text()
    [command] = re.findall(r"^ExecStart=\S+/bothways (.*)$", unit, flags=re.MULTILINE) or [""]
    if command:
        understood(command.split())
    require("systemd-analyze")
    for other in UNITS:
        text = (EXAMPLES / f"{other}.service").read_text()
        (tmp_path / f"{other}.service").write_text(_PROGRAM.sub(sys.executable, text))
    verify = ["systemd-analyze", "verify", str(tmp_path / f"{name}.service")]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", [*UNITS, "bothways-spoke"])
def test_a_unit_gives_up_what_it_has_no_use_for(tmp_path: Path, name: str) -> None:
    """As systemd counts it: from 0, nothing left, to 10, as any program of this user."""
    require("systemd-analyze")
    shutil.copy(EXAMPLES / f"{name}.service", tmp_path)
    judge = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(tmp_path / f"{name}.service")]
    done = subprocess.run(judge, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout[-200:]
    # That would take the memory away by which one Envoy takes over from another of this user.
    assert "RemoveIPC" not in (EXAMPLES / f"{name}.service").read_text()


@pytest.mark.parametrize("name", ["bothways-envoy", "bothways-node"])
def test_envoy_may_open_as_many_files_as_its_connections_need(name: str) -> None:
    [most] = re.findall(r"^LimitNOFILE=(\d+)$", (EXAMPLES / f"{name}.service").read_text(), flags=re.MULTILINE)
    assert int(most) == 2 * CONNECTIONS


def test_the_image_is_made_of_the_lock_as_an_environment_is() -> None:
    lines = (EXAMPLES / "hub.Containerfile").read_text().splitlines()
    made = [
        each for line in lines for each in re.findall(r"^RUN .* -m pip install --no-cache-dir (.*?)(?: \\)?$", line)
    ]
    quiet = "--quiet --disable-pip-version-check "
    ours = re.findall(rf"-m pip install {quiet}(.*) >&2", (ROOT / "Makefile").read_text())
    assert made == [each.replace("--editable ", "") for each in ours[:2]]
    [entry] = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")]
    understood(yaml.safe_load(entry))


def test_the_image_is_handed_what_the_package_is_made_of_and_nothing_else_of_the_source() -> None:
    lines = (EXAMPLES / "hub.Containerfile").read_text().splitlines()
    copied = {
        each for line in lines if (found := re.match(r"COPY (?!--from)(.*) \S+$", line)) for each in found[1].split()
    }
    ignored = [line for line in (ROOT / ".containerignore").read_text().splitlines() if not line.startswith("#")]
    # All is left out, the key of a hub that somebody made in the source above all, and these are let in again.
    assert ignored[0] == "*"
    assert {each.removeprefix("!") for each in ignored if each.startswith("!")} == copied
    assert all((ROOT / each).exists() for each in copied)
    leads = {each.resolve().relative_to(ROOT).parts[0] for each in (ROOT / "src").rglob("*") if each.is_symlink()}
    assert leads <= copied
