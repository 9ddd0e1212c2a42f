"""The hub's units, image and manifests in `docs/examples`: what reads them takes them, and what they call is there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bothways.operations.settings import read_settings
from bothways.xds.overload import CONNECTIONS

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"
UNITS = {"bothways-hub": "operation", "bothways-envoy": "operation", "bothways-node": "nodes"}
_PROGRAM = re.compile(r"/opt/bothways/bin/\w+")


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    documents = yaml.safe_load_all((EXAMPLES / "hub.yaml").read_text())
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


def understood(command: list[str]) -> None:
    """Require that the command line knows this command with these options."""
    flags = [each for each in command if each.startswith("--")]
    words = [each for each in command if re.fullmatch(r"[a-z][a-z-]*", each)][:2]
    done = subprocess.run(
        [sys.executable, "-m", "bothways", *words, "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    assert [each for each in flags if each not in done.stdout] == []


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit_and_its_page_names_it(tmp_path: Path, name: str) -> None:
    unit = (EXAMPLES / f"{name}.service").read_text()
    assert f"examples/{name}.service" in (ROOT / "docs" / f"{UNITS[name]}.md").read_text()
    [command] = re.findall(r"^ExecStart=\S+/bothways (.*)$", unit, flags=re.MULTILINE) or [""]
    if command:
        understood(command.split())
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on PATH (Debian package systemd)")
    for other in UNITS:
        text = (EXAMPLES / f"{other}.service").read_text()
        (tmp_path / f"{other}.service").write_text(_PROGRAM.sub(sys.executable, text))
    verify = ["systemd-analyze", "verify", str(tmp_path / f"{name}.service")]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["bothways-envoy", "bothways-node"])
def test_envoy_may_open_as_many_files_as_its_connections_need(name: str) -> None:
    [most] = re.findall(r"^LimitNOFILE=(\d+)$", (EXAMPLES / f"{name}.service").read_text(), flags=re.MULTILINE)
    assert int(most) == 2 * CONNECTIONS


def test_the_image_is_made_of_the_lock_as_an_environment_is() -> None:
    lines = (EXAMPLES / "hub.Containerfile").read_text().splitlines()
    made = [each for line in lines for each in re.findall(r"^RUN .* -m pip install --no-cache-dir (.*)$", line)]
    quiet = "--quiet --disable-pip-version-check "
    ours = re.findall(rf"-m pip install {quiet}(.*) >&2", (ROOT / "Makefile").read_text())
    assert made == [each.replace("--editable ", "") for each in ours[:2]]
    [entry] = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")]
    understood(yaml.safe_load(entry))


def test_what_a_pod_mounts_and_a_service_finds_is_there() -> None:
    found = manifests()
    for (kind, _), document in found.items():
        if kind == "Service":
            pods = [
                each["spec"]["template"]
                for each in found.values()
                if "template" in each["spec"]
                and document["spec"]["selector"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
            ]
            ports = {port["name"] for pod in pods for of in pod["spec"]["containers"] for port in of["ports"]}
            assert {each["targetPort"] for each in document["spec"]["ports"]} <= ports
            continue
        pod = document["spec"]["template"]
        assert document["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
        volumes = {each["name"] for each in pod["spec"]["volumes"]}
        volumes |= {each["metadata"]["name"] for each in document["spec"].get("volumeClaimTemplates", ())}
        containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
        assert {mount["name"] for each in containers for mount in each["volumeMounts"]} == volumes
        # Longer than the 60 s for which Envoy answers what was begun.
        assert pod["spec"]["terminationGracePeriodSeconds"] > 60


def test_the_hub_takes_the_settings_and_commands_that_the_manifests_say(tmp_path: Path) -> None:
    said = (EXAMPLES / "hub.yaml").read_text()
    for command in re.findall(r"^#   bothways ((?:.*\\\n#  )*.*)$", said, flags=re.MULTILINE):
        understood(command.replace("\\\n#", " ").split())
    [hub] = manifests()["StatefulSet", "bothways-hub"]["spec"]["template"]["spec"]["containers"]
    understood(hub["args"])
    ports = {each["name"]: each["containerPort"] for each in hub["ports"]}
    (tmp_path / "hub.toml").write_text(
        f"[listen]\nportal_address = '0.0.0.0'\nportal_port = {ports['portal']}\n"
        f"metrics_address = '0.0.0.0'\nmetrics_port = {ports['metrics']}\nnodes_address = '0.0.0.0'\n"
        f"nodes_port = {ports['nodes']}\nnodes_connectivity_port = {ports['connectivity']}\n"
    )
    settings = read_settings(tmp_path)
    for each in ("metrics_port", "nodes_port", "nodes_connectivity_port"):
        assert f"{each} {getattr(settings, each)}" in said.replace("\n#", "")
