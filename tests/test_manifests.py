"""The hub's manifests for Kubernetes in `docs/examples`: what they say of each other, the image and the hub holds."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from envoy.extensions.resource_monitors.fixed_heap.v3 import fixed_heap_pb2
from tests.conftest import local_settings
from tests.examples import EXAMPLES, commands, manifests, pods_of, understood
from tests.postgresql import new_schema

from bothways import files
from bothways.contract.document import Environment
from bothways.dataplane.supervised import _END_SECONDS as END_SECONDS
from bothways.operations.hub import initialise, new_terms, open_hub
from bothways.operations.own_keys import require_signers
from bothways.operations.settings import FILE, LogFormat, read_settings, render_settings
from bothways.xds.overload import overload_manager


def test_who_the_image_runs_as_is_who_the_manifests_say() -> None:
    for file, names in (("hub.Containerfile", ("hub", "node", "control-planes")), ("Containerfile", ("sidecar",))):
        [user] = re.findall(r"^USER (\d+):(\d+)$", (EXAMPLES / file).read_text(), flags=re.MULTILINE)
        for name in names:
            [pod] = pods_of({}, manifests(name))
            context = pod["spec"]["securityContext"]
            assert (str(context["runAsUser"]), str(context["runAsGroup"])) == user
            assert context["fsGroup"] == context["runAsGroup"]


@pytest.mark.parametrize("name", ["hub", "node", "control-planes", "sidecar"])
def test_a_cluster_that_enforces_its_strictest_standard_takes_the_pods(name: str) -> None:
    """What the standard "restricted" of Kubernetes asks, and that the file system is not written to."""
    [pod] = pods_of({}, manifests(name))
    context = pod["spec"]["securityContext"]
    assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    # What the application beside a sidecar asks of the cluster is its own.
    assert name == "sidecar" or pod["spec"]["automountServiceAccountToken"] is False
    for each in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]:
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    for each in pod["spec"]["volumes"]:
        assert each.keys() & {"secret", "configMap", "emptyDir"}
        assert each.get("secret", {}).get("defaultMode", 0o400) == 0o400


@pytest.mark.parametrize("name", ["hub", "node", "control-planes"])
def test_envoy_sheds_load_before_the_cluster_kills_it_for_its_memory(name: str) -> None:
    [pod] = pods_of({}, manifests(name))
    [container] = pod["spec"]["containers"]
    [heap] = [each for each in overload_manager().resource_monitors if "heap" in each.name]
    limit = container["resources"]["limits"]["memory"]
    most = fixed_heap_pb2.FixedHeapConfig()
    assert heap.typed_config.Unpack(most)
    assert limit.endswith("Gi")
    assert int(limit.removesuffix("Gi")) << 30 > most.max_heap_size_bytes


@pytest.mark.parametrize("name", ["hub", "node", "control-planes"])
def test_the_grace_is_as_long_as_an_orderly_end_takes(name: str) -> None:
    [pod] = pods_of({}, manifests(name))
    [container] = pod["spec"]["containers"]
    [_, before] = container.get("lifecycle", {}).get("preStop", {}).get("exec", {"command": ["sleep", "0"]})["command"]
    assert pod["spec"]["terminationGracePeriodSeconds"] >= int(before) + END_SECONDS


def test_the_network_lets_through_what_the_pods_listen_for() -> None:
    policies = manifests("network")
    for hubs in ("hub", "control-planes"):
        pods = pods_of({}, manifests(hubs)) + pods_of({}, manifests("node"))
        listening = {
            pod["metadata"]["labels"]["app"]: {port["name"] for of in pod["spec"]["containers"] for port in of["ports"]}
            for pod in pods
        }
        for app, ports in listening.items():
            spec = policies["NetworkPolicy", app]["spec"]
            assert spec["podSelector"]["matchLabels"] == {"app": app}
            assert {each["port"] for rule in spec["ingress"] for each in rule["ports"]} == ports
        outbound = policies["NetworkPolicy", "bothways-outbound"]["spec"]
        assert outbound["podSelector"]["matchExpressions"][0]["values"] == sorted(listening)


def test_the_network_lets_nobody_call_a_customer_at_an_address_of_the_inside() -> None:
    [rule] = [
        each
        for each in manifests("network")["NetworkPolicy", "bothways-outbound"]["spec"]["egress"]
        if "ipBlock" in each["to"][0]
    ]
    assert {each["port"] for each in rule["ports"]} == {443, 8443}
    blocked = [ip_network(net) for each in rule["to"] for net in each["ipBlock"].get("except", ())]
    for inside in (
        "10.1.2.3",
        "127.0.0.1",
        "169.254.169.254",
        "172.20.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fd00::1",
        "fe80::1",
        "64:ff9b::a00:1",
    ):
        assert any(ip_address(inside) in each for each in blocked if each.version == ip_address(inside).version), inside


@pytest.mark.parametrize("name", ["hub", "node", "control-planes"])
def test_what_a_pod_mounts_and_a_service_finds_is_there(name: str) -> None:
    found = manifests(name)
    for (kind, _), document in found.items():
        if kind == "Service":
            pods = pods_of(document["spec"]["selector"], found)
            ports = {port["name"] for pod in pods for of in pod["spec"]["containers"] for port in of["ports"]}
            assert {each["targetPort"] for each in document["spec"]["ports"]} <= ports
            continue
        if kind == "ConfigMap":
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


@pytest.mark.parametrize("name", ["hub", "node", "control-planes"])
def test_the_commands_that_the_manifests_say_are_there(name: str) -> None:
    said = commands(name)
    assert said
    for each in said:
        understood(each)
    [pod] = pods_of({}, manifests(name))
    [container] = pod["spec"]["containers"]
    understood(container["args"])


def test_the_hub_takes_the_settings_that_the_manifests_say(tmp_path: Path) -> None:
    found = manifests("hub")
    (tmp_path / "hub.toml").write_text(found["ConfigMap", "bothways-hub"]["data"]["hub.toml"])
    settings = read_settings(tmp_path)
    for hubs in (found, manifests("control-planes")):
        [hub] = hubs["StatefulSet", "bothways-hub"]["spec"]["template"]["spec"]["containers"]
        ports = {each["name"]: each["containerPort"] for each in hub["ports"]}
        assert ports == {
            "portal": settings.portal_port,
            "metrics": settings.metrics_port,
            "nodes": settings.nodes_port,
            "connectivity": settings.nodes_connectivity_port,
        }
    addresses = (settings.portal_address, settings.metrics_address, settings.nodes_address)
    assert addresses == ("0.0.0.0", "0.0.0.0", "0.0.0.0")  # noqa: S104 - of a pod, which others have to reach
    assert settings.log_format is LogFormat.JSON
    mounts = {each["mountPath"] for each in hub["volumeMounts"]}
    assert str(Path(settings.passphrase_file).parent) in mounts
    # control-planes.yaml has a person write the same into the hub.toml that becomes its ConfigMap.
    said = (EXAMPLES / "control-planes.yaml").read_text().replace("\n#", "")
    for each in ("metrics_port", "nodes_port", "nodes_connectivity_port"):
        assert f"{each} {getattr(settings, each)}" in said


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
