"""A real API server of Kubernetes without a cluster behind it: it takes or refuses objects, and nothing runs them.

No package of Debian or of Python brings `kube-apiserver`; where it is on PATH beside `etcd`, it is made use of.
"""

import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.conftest import free_ports
from tests.eventually import eventually

PROGRAMS = ("etcd", "kube-apiserver")
_TOKEN = "token-of-the-test"  # noqa: S105 - of a server that ends with the test


@dataclass(frozen=True)
class ApiServer:
    """An API server, as its administrator reaches it."""

    client: httpx2.Client

    @cached_property
    def minor(self) -> int:
        """The second number of its version."""
        return int(self.client.get("/version").json()["minor"].rstrip("+"))

    def paths(self, group: str) -> dict[str, str]:
        """Return where the objects of a group and version are, by kind; `{namespace}` stands in it."""
        root = f"/api/{group}" if group == "v1" else f"/apis/{group}"
        answer = self.client.get(root)
        found = answer.json()["resources"] if answer.is_success else []
        return {
            each["kind"]: f"{root}/namespaces/{{namespace}}/{each['name']}"
            for each in found
            if each["namespaced"] and "/" not in each["name"]
        }

    def namespace(self, name: str) -> None:
        """Make a namespace that takes no pod that has rights."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        self.client.post("/api/v1/namespaces", json={"metadata": {"name": name, "labels": labels}}).raise_for_status()

    def apply(self, made: Mapping[str, Any], namespace: str) -> str:
        """Give it an object, as `kubectl apply --server-side` does; return why it was refused, or nothing."""
        place = self.paths(made["apiVersion"])[made["kind"]].format(namespace=namespace)
        answer = self.client.patch(
            f"{place}/{made['metadata']['name']}",
            params={"fieldManager": "test", "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            json=made,
        )
        return "" if answer.is_success else str(answer.json()["message"])


@contextmanager
def serving(place: Path) -> Iterator[ApiServer]:
    """Run an API server with its database, in a place of its own."""
    key = rsa.generate_private_key(65537, 2048)
    (place / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (place / "tokens.csv").write_text(f"{_TOKEN},administrator,administrator,system:masters\n")
    port, clients, peers = free_ports(3)
    database, others = f"http://127.0.0.1:{clients}", f"http://127.0.0.1:{peers}"
    ours = [f"--listen-client-urls={database}", f"--advertise-client-urls={database}", f"--listen-peer-urls={others}"]
    options = {
        "etcd-servers": database,
        "cert-dir": place / "certificates",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "service-cluster-ip-range": "10.0.0.0/24",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": place / "key.pem",
        "service-account-signing-key-file": place / "key.pem",
        "token-auth-file": place / "tokens.csv",
        "authorization-mode": "RBAC",
        # Nothing runs that would make the accounts.
        "disable-admission-plugins": "ServiceAccount",
    }
    server = ["kube-apiserver", *(f"--{name}={value}" for name, value in options.items())]
    with _running(["etcd", "--data-dir", str(place / "data"), *ours], place), _running(server, place):
        certificate = place / "certificates" / "apiserver.crt"
        eventually(certificate.exists, "the API server made no certificate")
        trust = ssl.create_default_context(cafile=str(certificate))
        headers = {"Authorization": f"Bearer {_TOKEN}"}
        with httpx2.Client(base_url=f"https://127.0.0.1:{port}", headers=headers, verify=trust) as client:
            eventually(lambda: _ready(client), "the API server does not get ready")
            yield ApiServer(client)


def _ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").is_success
    except httpx2.TransportError:
        return False


@contextmanager
def _running(command: list[str], place: Path) -> Iterator[None]:
    with (place / f"{command[0]}.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.kill()
