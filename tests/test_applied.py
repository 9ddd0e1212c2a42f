"""The examples for Kubernetes are what a real API server takes, where there is one."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.api_server import PROGRAMS, ApiServer, serving
from tests.examples import EXAMPLES
from tests.programs import require

SIDECARS = 29
"""Kubernetes 1.29 is the oldest that the example of the sidecar says."""

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    require(*PROGRAMS)
    with serving(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.mark.parametrize("name", sorted(each.stem for each in EXAMPLES.glob("*.yaml")))
def test_an_api_server_takes_the_objects(server: ApiServer, name: str) -> None:
    if name == "sidecar" and server.minor < SIDECARS:
        pytest.skip(f"this API server is 1.{server.minor}, and the example wants 1.{SIDECARS}")
    server.namespace(f"of-{name}")
    for made in yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text()):
        # Kubernetes 1.20 has the same object under the version before.
        if made["kind"] not in server.paths(made["apiVersion"]):
            made["apiVersion"] += "beta1"
        assert server.apply(made, f"of-{name}") == ""
        if made["kind"] == "StatefulSet":
            assert server.apply(pod_of(made), f"of-{name}") == ""


def test_an_api_server_refuses_what_stands_in_the_wrong_place_or_is_too_much(server: ApiServer) -> None:
    [made] = [
        each for each in yaml.safe_load_all((EXAMPLES / "node.yaml").read_text()) if each["kind"] == "StatefulSet"
    ]
    server.namespace("wrong")
    pod = pod_of(made)
    pod["spec"]["containers"][0]["readOnlyRootFilesystem"] = True
    assert "readOnlyRootFilesystem" in server.apply(pod, "wrong")
    pod = pod_of(made)
    pod["spec"]["containers"][0]["volumeMounts"][0]["name"] = "another"
    assert "another" in server.apply(pod, "wrong")


def pod_of(made: dict[str, Any]) -> dict[str, Any]:
    """Return the first pod that the cluster would make of a StatefulSet: what it mounts is judged only there."""
    template, name = made["spec"]["template"], f"{made['metadata']['name']}-0"
    claims = [each["metadata"]["name"] for each in made["spec"]["volumeClaimTemplates"]]
    volumes = [{"name": each, "persistentVolumeClaim": {"claimName": f"{each}-{name}"}} for each in claims]
    spec = yaml.safe_load(yaml.safe_dump(template["spec"]))
    spec["volumes"] += volumes
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **template["metadata"]}, "spec": spec}
