"""What two commands of `kubectl` come down to, where there is no cluster.

`apply -f -` has Kubernetes' own schemas judge what it is given, and lays a Secret out in `cluster/NAME` as the kubelet
mounts it. `exec` runs a command as the container of the example would, with the Secrets where the example mounts them.
"""

import base64
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml
from tests.kubernetes import judge

EXAMPLE = Path(__file__).parent.parent / "docs" / "examples" / "sidecar.yaml"
CLUSTER = Path("cluster")


def apply(text: str) -> None:
    """Take objects as a cluster does."""
    for made in yaml.safe_load_all(text):
        judge(made)
        mounted = CLUSTER / made["metadata"]["name"]
        mounted.mkdir(parents=True, exist_ok=True)
        for name, content in made.get("data", {}).items():
            (mounted / name).unlink(missing_ok=True)
            (mounted / name).write_bytes(base64.b64decode(content, validate=True))


def execute(deployment: str, container: str, command: Sequence[str]) -> int:
    """Run a command as in a container of the example; return its exit code."""
    documents = yaml.safe_load_all(EXAMPLE.read_text())
    [pod] = [each["spec"]["template"]["spec"] for each in documents if each["metadata"]["name"] == deployment]
    [found] = [each for each in [*pod["containers"], *pod["initContainers"]] if each["name"] == container]
    secrets = {each["name"]: each["secret"] for each in pod["volumes"] if "secret" in each}
    places = {}
    for mount in found["volumeMounts"]:
        if secret := secrets.get(mount["name"]):
            mounted = CLUSTER / secret["secretName"]
            places[mount["mountPath"]] = str(mounted)
            for each in mounted.glob("*"):
                each.chmod(secret["defaultMode"])
    return subprocess.run([places.get(each, each) for each in command], check=False, timeout=60).returncode


def main(arguments: Sequence[str]) -> int:
    """Do what a line for `kubectl` says; another than these two is refused."""
    match arguments:
        case ["apply", "-f", "-"]:
            apply(sys.stdin.read())
            return 0
        case ["exec", workload, "-c", container, "--", *command] if workload.startswith("deploy/"):
            return execute(workload.removeprefix("deploy/"), container, command)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
