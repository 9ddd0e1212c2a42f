"""The hub's units, image and manifests in `docs/examples`: what reads them takes them, and what they call is there."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import local_settings
from tests.postgresql import new_schema

from bothways import files
from bothways.contract.document import Environment
from bothways.operations.hub import initialise, new_terms, open_hub
from bothways.operations.own_keys import require_signers
from bothways.operations.settings import FILE, read_settings, render_settings
from bothways.xds.overload import CONNECTIONS

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "docs" / "examples"
UNITS = {"bothways-hub": "operation", "bothways-envoy": "operation", "bothways-node": "nodes"}
_PROGRAM = re.compile(r"/opt/bothways/bin/\w+")


def manifests(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    documents = yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text())
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


def pods_of(selector: dict[str, str], found: dict[tuple[str, str], dict[str, Any]]) -> list[dict[str, Any]]:
    templates = [each["spec"]["template"] for each in found.values() if "template" in each["spec"]]
    return [each for each in templates if selector.items() <= each["metadata"]["labels"].items()]


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


@pytest.mark.parametrize("name", ["hub", "node", "control-planes"])
def test_what_a_pod_mounts_and_a_service_finds_is_there(name: str) -> None:
    found = manifests(name)
    for (kind, _), document in found.items():
        if kind == "Service":
            pods = pods_of(document["spec"]["selector"], found)
            ports = {port["name"] for pod in pods for of in pod["spec"]["containers"] for port in of["ports"]}
            assert {each["targetPort"] for each in document["spec"]["ports"]} <= ports
            continue
        if kind == "PodDisruptionBudget":
            assert pods_of(document["spec"]["selector"]["matchLabels"], found)
            continue
        pod = document["spec"]["template"]
        assert document["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]
        volumes = {each["name"] for each in pod["spec"]["volumes"]}
        volumes |= {each["metadata"]["name"] for each in document["spec"].get("volumeClaimTemplates", ())}
        containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
        assert {mount["name"] for each in containers for mount in each["volumeMounts"]} == volumes
        # Longer than the 60 s for which Envoy answers what was begun.
        assert pod["spec"]["terminationGracePeriodSeconds"] > 60


@pytest.mark.parametrize("name", ["hub", "node", "control-planes"])
def test_the_commands_that_the_manifests_say_are_there(name: str) -> None:
    said = (EXAMPLES / f"{name}.yaml").read_text()
    commands = re.findall(r"^#   bothways ((?:.*\\\n#  )*.*)$", said, flags=re.MULTILINE)
    assert commands
    for command in commands:
        understood(command.replace("\\\n#", " ").split())
    [pod] = pods_of({}, manifests(name))
    [container] = pod["spec"]["containers"]
    understood(container["args"])


@pytest.mark.parametrize("name", ["hub", "control-planes"])
def test_the_hub_takes_the_settings_that_the_manifests_say(tmp_path: Path, name: str) -> None:
    said = (EXAMPLES / f"{name}.yaml").read_text()
    [hub] = manifests(name)["StatefulSet", "bothways-hub"]["spec"]["template"]["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in hub["ports"]}
    (tmp_path / "hub.toml").write_text(
        f"[listen]\nportal_address = '0.0.0.0'\nportal_port = {ports['portal']}\n"
        f"metrics_address = '0.0.0.0'\nmetrics_port = {ports['metrics']}\nnodes_address = '0.0.0.0'\n"
        f"nodes_port = {ports['nodes']}\nnodes_connectivity_port = {ports['connectivity']}\n"
    )
    settings = read_settings(tmp_path)
    for each in ("metrics_port", "nodes_port", "nodes_connectivity_port"):
        assert f"{each} {getattr(settings, each)}" in said.replace("\n#", "")


def test_nodes_are_told_of_each_pod_by_a_name_that_the_service_gives_it() -> None:
    found = manifests("control-planes")
    hubs = found["StatefulSet", "bothways-hub"]
    service = found["Service", hubs["spec"]["serviceName"]]
    # Without an address of its own it has names of the pods, and those also of one that is not ready.
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    said = (EXAMPLES / "control-planes.yaml").read_text()
    for option, port in (("--control-plane", "nodes"), ("--connectivity", "connectivity")):
        told = re.findall(rf"{option} (\S+)", said)
        pods = [f"bothways-hub-{number}.bothways-hub" for number in range(hubs["spec"]["replicas"])]
        assert told == [f"{pod}:{ports[port]}" for pod in pods]
        assert len(told) == 2


def test_each_pod_joins_once_and_takes_the_settings_of_all_at_each_start(short: Path) -> None:
    places = {each: short / each for each in ("database", "settings", "passphrase", "tmp", "hub")}
    for each in places.values():
        each.mkdir()
    files.write_new(places["passphrase"] / "passphrase", b"a passphrase of a test", files.PRIVATE)
    # As a Secret is mounted: its group can read it.
    files.write_new(places["database"] / "pgpass", b"*:*:*:*:secret", 0o440)
    settings = replace(
        local_settings(), database=new_schema(), passphrase_file=str(places["passphrase"] / "passphrase")
    )
    initialise(short / "first", new_terms(Environment.PPR, "ppr.hub.localhost", settings), settings, "tester")
    for name in (FILE, "contract.toml"):
        shutil.copy(short / "first" / name, places["settings"])
    [pod] = pods_of({}, manifests("control-planes"))
    [init] = pod["spec"]["initContainers"]
    mounted = "|".join(each["mountPath"].removeprefix("/") for each in init["volumeMounts"])
    # In one pass, for the path of a place has names of others in it.
    command = [
        re.sub(rf"(?<![\w/])/({mounted})\b", lambda found: str(places[found[1]]), each) for each in init["command"]
    ]
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))

    def start() -> None:
        done = subprocess.run(
            command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr

    start()
    changed = replace(settings, smtp_host="mail.hub.example", smtp_sender="hub@hub.example")
    (places["settings"] / FILE).write_text(render_settings(changed))
    start()
    assert (places["tmp"] / "pgpass").stat().st_mode & 0o077 == 0
    with open_hub(places["hub"] / "PRD", "tester") as hub:
        require_signers(hub)
        assert hub.settings == changed
        with hub.read() as connection:
            joined = connection.exec_driver_sql("SELECT count(*) FROM audit WHERE action = 'hub.join'").scalar_one()
    assert joined == 1
