"""The images that the container files in `docs/examples` make, built for real, and run as the manifests say."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from tests.eventually import eventually
from tests.examples import EXAMPLES, commands, manifests, pods_of
from tests.image import PROGRAMS, Images
from tests.pods import Pod, network, runtime_default
from tests.programs import require
from tests.unit_filter import allowed_by

from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.demo.customer_ca import make_server_files
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import init_spoke
from bothways.spoke.export import kubernetes_secret
from bothways.spoke.install import install_certificate

ROOT = Path(__file__).parent.parent
BASE = "python:3.13-slim"
SECRET = b"a passphrase of a test"
NODE = "bothways-node-eu-1"

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]


class Built(NamedTuple):
    """An image: its file system, and how it is configured."""

    root: Path
    image: dict[str, Any]


@pytest.fixture
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Images]:
    require(*PROGRAMS)
    if os.geteuid():
        pytest.skip("images and pods are made by root alone")
    with Images.in_place(tmp_path_factory.mktemp("images")) as made:
        made.base(BASE)
        yield made


def test_the_hubs_image_has_nothing_of_its_build_and_runs_as_the_manifests_say(images: Images, tmp_path: Path) -> None:
    """With the system calls that a cluster allows by default, and once more with those that the units allow."""
    image = images.build(EXAMPLES / "hub.Containerfile", ROOT, "bothways-hub")
    units = {each: allowed_by((EXAMPLES / f"bothways-{each}.service").read_text()) for each in ("hub", "node")}
    with images.root("bothways-hub") as root:
        nothing_of_the_build_is_left(root)
        for place, calls in (("cluster", dict.fromkeys(units, runtime_default())), ("systemd", units)):
            hub_and_node_run(Built(root, image), tmp_path / place, calls)


def test_the_sidecar_runs_as_its_manifest_says(images: Images, hub: Hub, issuer: str, tmp_path: Path) -> None:
    wheels, pip = tmp_path / "wheels", tmp_path / "pip.conf"
    make = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    subprocess.run([*make, str(ROOT)], check=True, capture_output=True, timeout=300)
    pip.write_text("[global]\nfind-links = /wheels\n")
    lent = [f"--volume={wheels}:/wheels:ro", f"--volume={pip}:/etc/pip.conf:ro"]
    file = EXAMPLES / "Containerfile"
    image = images.build(file, EXAMPLES, "bothways-spoke", *lent, f"--build-arg=VERSION={version('bothways')}")
    (tmp_path / "server").mkdir()
    server = make_server_files(tmp_path / "server", "First Bank", "callbacks.bank.example")
    [template] = pods_of({}, manifests("sidecar"))
    # The other container is the bank's own.
    spec = {**template["spec"], "containers": []}
    with ExitStack() as stack:
        root = stack.enter_context(images.root("bothways-spoke"))
        spaces, hosts = stack.enter_context(network(["payments", "hub"]))
        pod = Pod("payments", spec, root, image, tmp_path / "pod", spaces["payments"], hosts, runtime_default())
        stack.callback(pod.kill)
        pod.volume("spoke", secret_of_spoke(hub, issuer, tmp_path))
        pod.volume("server", {"tls.crt": server.certificate.read_bytes(), "tls.key": server.key.read_bytes()})
        pod.volume("run")
        for calls in (runtime_default(), allowed_by((EXAMPLES / "bothways-spoke.service").read_text())):
            pod.calls = calls
            pod.start()
            ready(pod)
            assert pod.end() == {"bothways": 0}
        assert "Traceback" not in pod.said("bothways")


def nothing_of_the_build_is_left(root: Path) -> None:
    programs = {each.name for each in (root / "opt/bothways/bin").iterdir()}
    assert {"bothways", "python3"} <= programs
    assert [each for each in programs if each.startswith("pip")] == []
    assert not (root / "source").exists()
    assert not any((root / "root").glob(".*/*"))
    assert list((root / "tmp").iterdir()) == []
    # Who runs it can write to its own directory alone.
    search = "find . -path ./dev -prune -o -not -type l ( -user 10001 -o -perm -0002 ) -print"
    done = subprocess.run(search.split(), cwd=root, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["./hub", "./run/lock", "./tmp", "./var/tmp"]


def hub_and_node_run(built: Built, place: Path, calls: Mapping[str, Mapping[str, Any]]) -> None:
    """Make a hub and a node as the manifests say, end them in each way, and find them again; `calls` by manifest."""
    found = manifests("hub")

    def pod(name: str, file: str) -> Pod:
        [template] = pods_of({}, manifests(file))
        made = Pod(name, template["spec"], *built, place / file, spaces[name], hosts, calls[file])
        stack.callback(made.kill)
        made.volume("tmp")
        return made

    with ExitStack() as stack:
        spaces, hosts = stack.enter_context(network(["bothways-hub", NODE]))
        hub = pod("bothways-hub", "hub")
        node = pod(NODE, "node")
        hub.volume("hub")
        hub.volume("settings", {"hub.toml": found["ConfigMap", "bothways-hub"]["data"]["hub.toml"].encode()})
        hub.volume("passphrase", {"passphrase": SECRET})
        hub.start(lambda container: make_hub(hub, container))
        ready(hub)

        # The first process has no rights, cannot get any, and is held to its system calls.
        held = dict(line.split(":\t") for line in hub.execute("hub", "cat", "/proc/1/status").splitlines())
        assert (held["CapEff"], held["CapBnd"]) == ("0" * 16, "0" * 16)
        assert (held["Uid"].split()[0], held["NoNewPrivs"], held["Seccomp"]) == ("10001", "1", "2")

        node.volume("node")
        node.volume("passphrase", {"passphrase": SECRET})
        node.volume("secret", files_of_node(hub))
        node.start()
        ready(node)
        eventually(
            lambda: nodes(hub) == {"eu-1": (True, True), "prd-embedded": (True, True)}, "the node is not up to date"
        )
        # The private key is where the node has it, and nowhere else in its volume.
        assert [each.relative_to(node.place / "node") for each in (node.place / "node").rglob("tls.key")] == [
            Path("eu-1/tls.key")
        ]

        node.signal("node", "HUP")
        eventually(lambda: "took over" in node.said("node"), "no Envoy took over")
        # Whatever is killed is there again, from its volume.
        for each, container in ((hub, "hub"), (node, "node")):
            each.signal(container, "KILL")
            assert each.wait(container) == 128 + 9
            each.start()
            ready(each)
        eventually(lambda: nodes(hub)["eu-1"] == (True, True), "the node did not come back")
        assert node.end() == {"node": 0}
        assert hub.end() == {"hub": 0}
        assert "Traceback" not in hub.said("hub") + node.said("node")


def secret_of_spoke(hub: Hub, customer: str, place: Path) -> dict[str, bytes]:
    """Return the Secret of a customer's spoke that has its certificate."""
    (place / "contract.toml").write_text(render_contract(contract(hub)))
    spoke = init_spoke(place / "spoke", str(place / "contract.toml"), customer)
    request = make_request(spoke, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments"))
    stored = submit_request(hub, customer, request.pem.encode())
    install_certificate(spoke, certificate_chain(hub, approve_request(hub, stored.id)).encode())
    data = yaml.safe_load(kubernetes_secret(spoke, "bank-prd", "payments"))["data"]
    return {name: b64decode(content) for name, content in data.items()}


def make_hub(hub: Pod, container: str) -> None:
    """Do in the container that waits for the hub what the head of the manifest says, unless it waits for nothing."""
    if (hub.place / "hub" / "PRD").exists():
        return
    eventually(lambda: "bothways hub init" in hub.said(container), "it does not say what it waits for")
    [command] = [each for each in commands("hub") if each[:2] == ["hub", "init"]]
    hub.execute(container, "bothways", *command)


def files_of_node(hub: Pod) -> dict[str, bytes]:
    """Return what `hub envoy-bootstrap` makes for the node's Secret, with the options at the head of the manifest."""
    [command] = [each for each in commands("node") if each[:2] == ["hub", "envoy-bootstrap"]]
    hub.execute("hub", "bothways", *command)
    return {each.name: each.read_bytes() for each in (hub.place / "tmp" / "eu-1").iterdir()}


def ready(of: Pod) -> None:
    """Wait until all probes of a pod hold."""
    [container] = of.containers
    for each in ("startupProbe", "livenessProbe", "readinessProbe"):
        if each in container:
            eventually(partial(of.holds, container[each]), f"{each} does not hold: {of.said(container['name'])}")


def nodes(hub: Pod) -> dict[str, tuple[bool, bool]]:
    """Return of each node whether it is connected, and has all that is published, as the hub's status says."""
    said = json.loads(hub.execute("hub", "bothways", "hub", "status", "--json", "--directory", "/hub/PRD"))
    return {each["node"]: (each["connected"], each["settled"]) for each in said["nodes"]}
