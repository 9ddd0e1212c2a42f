"""The examples in the documentation are what the programs that read them take, and name options that there are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.kubernetes import judge
from tests.programs import require

from bothways.cli.sidecar_process import _DRAIN_SECONDS as DRAIN_SECONDS

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"


@pytest.fixture(scope="module")
def options() -> set[str]:
    """The options of `bothways spoke run`."""
    command = [sys.executable, "-m", "bothways", "spoke", "run", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(re.findall(r"--[a-z-]+", done.stdout))


def used(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z-]+", text))


def test_systemd_takes_the_unit(tmp_path: Path, options: set[str]) -> None:
    unit = (EXAMPLES / "bothways-spoke.service").read_text()
    [command] = re.findall(r"^ExecStart=\S+ spoke run (.*)$", unit, flags=re.MULTILINE)
    assert used(command) <= options
    require("systemd-analyze")
    # The program itself is wherever somebody installed it.
    place = tmp_path / "bothways-spoke.service"
    place.write_text(unit.replace("/opt/bothways/bin/bothways", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", place], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_hadolint_has_nothing_against_the_containers(tmp_path: Path) -> None:
    hadolint = str(Path(sys.executable).with_name("hadolint"))

    def judged(path: Path) -> str:
        command = [hadolint, "--no-color", "--no-fail", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    assert [judged(each) for each in sorted(EXAMPLES.glob("*Containerfile"))] == ["", ""]
    worse = (EXAMPLES / "Containerfile").read_text().replace("==${VERSION}", "")
    (tmp_path / "Containerfile").write_text(worse)
    assert "DL3013" in judged(tmp_path / "Containerfile")


def test_the_container_runs_the_sidecar(options: set[str]) -> None:
    [entry] = re.findall(r"^ENTRYPOINT (.*)$", (EXAMPLES / "Containerfile").read_text(), flags=re.MULTILINE)
    assert '"bothways", "spoke", "run"' in entry
    assert used(entry) <= options


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda each: each.name)
def test_the_schemas_of_kubernetes_have_nothing_against_the_objects(example: Path) -> None:
    for each in yaml.safe_load_all(example.read_text()):
        judge(each)


def test_the_schemas_of_kubernetes_find_what_stands_in_the_wrong_place() -> None:
    deployment, _ = yaml.safe_load_all((EXAMPLES / "sidecar.yaml").read_text())
    deployment["spec"]["template"]["spec"]["containers"][0]["readOnlyRootFilesystem"] = True
    with pytest.raises(Exception, match="readOnlyRootFilesystem"):
        judge(deployment)


def test_the_pod_has_what_it_mounts_and_the_service_finds_its_port(options: set[str]) -> None:
    deployment, service = yaml.safe_load_all((EXAMPLES / "sidecar.yaml").read_text())
    pod = deployment["spec"]["template"]
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    assert deployment["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"] == service["spec"]["selector"]
    [sidecar] = pod["spec"]["initContainers"]
    # Else the pod would wait for its end.
    assert sidecar["restartPolicy"] == "Always"
    assert used(" ".join(sidecar["args"])) <= options
    assert {each["name"] for each in sidecar["volumeMounts"]} == {each["name"] for each in pod["spec"]["volumes"]}
    assert [each["targetPort"] for each in service["spec"]["ports"]] == [each["name"] for each in sidecar["ports"]]
    [application] = pod["spec"]["containers"]
    [_, before] = application["lifecycle"]["preStop"]["exec"]["command"]
    assert pod["spec"]["terminationGracePeriodSeconds"] > int(before) + DRAIN_SECONDS
