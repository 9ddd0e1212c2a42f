"""What a kubelet does with the pod of an example, without a cluster: `runc` runs an image as the manifest says.

User, groups, capabilities, system calls, what can be written, what is mounted, and with which owners and modes: as in a
cluster. A pod has its own network, with one address; pods of one `Cluster` reach each other, and nothing else.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PROFILE = Path("/usr/share/containers/seccomp.json")
"""What `RuntimeDefault` is, in the form that the runtimes of clusters share."""
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_SYSTEM = (
    ("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
    ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    ("/dev/shm", "tmpfs", "shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),  # noqa: S108 - its place
    ("/dev/mqueue", "mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
    ("/sys", "sysfs", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
)


@dataclass
class Pod:
    """A pod: `spec` as in the manifest; `root` and `image` are the image's file system and configuration.

    `calls` are the system calls that it may make, as runc takes them.
    """

    name: str
    spec: Mapping[str, Any]
    root: Path
    image: Mapping[str, Any]
    place: Path
    network: str
    hosts: Mapping[str, str]
    calls: Mapping[str, Any]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def group(self) -> int:
        """The group that the pod's files are given to."""
        return int(self.spec["securityContext"]["fsGroup"])

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """The containers that go on."""
        first = self.spec.get("initContainers", ())
        return [*(each for each in first if each.get("restartPolicy") == "Always"), *self.spec["containers"]]

    def volume(self, name: str, files: Mapping[str, bytes] | None = None) -> Path:
        """Make a volume as the kubelet does, with the files of a Secret or a ConfigMap if there are any."""
        place = self.place / name
        place.mkdir(parents=True)
        os.chown(place, 0, self.group)
        place.chmod(0o2775 if files is None else 0o2755)
        if files is None:
            return place
        [said] = [each for each in self.spec["volumes"] if each["name"] == name]
        mode = said.get("secret", said.get("configMap", {})).get("defaultMode", 0o644)
        kept = place / "..2026_11_26"
        kept.mkdir()
        (place / "..data").symlink_to(kept.name)
        for each, content in files.items():
            (kept / each).write_bytes(content)
            os.chown(kept / each, 0, self.group)
            (kept / each).chmod(mode | 0o440)
            (place / each).symlink_to(f"..data/{each}")
        return place

    def start(self, meanwhile: Callable[[str], None] = lambda _: None) -> None:
        """Run the init containers to their end, one after the other, and start the others.

        A sidecar is started among the first, and goes on. `meanwhile` is given the name of each of the others while it
        runs: what waits for somebody is given it.
        """
        for each in self.spec.get("initContainers", ()):
            self._start(each)
            if each.get("restartPolicy") == "Always":
                continue
            meanwhile(each["name"])
            assert self.wait(each["name"]) == 0, self.said(each["name"])
        for each in self.spec["containers"]:
            self._start(each)

    def _start(self, container: Mapping[str, Any]) -> None:
        name = container["name"]
        with (self.place / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(self._command(container), stdout=log, stderr=log)

    def said(self, container: str) -> str:
        """Return what a container wrote."""
        return (self.place / f"{container}.log").read_text()

    def holds(self, probe: Mapping[str, Any]) -> bool:
        """Ask what a probe asks, from the pod's network and at its own address."""
        ports = {port["name"]: port["containerPort"] for each in self.containers for port in each.get("ports", ())}
        address, patience = self.hosts[self.name], str(probe.get("timeoutSeconds", 1))
        if "httpGet" in probe:
            place = f"http://{address}:{ports[probe['httpGet']['port']]}{probe['httpGet']['path']}"
            asked = ["curl", "--output", os.devnull, "--silent", "--max-time", patience, "--fail", place]
        else:
            port = str(ports[probe["tcpSocket"]["port"]])
            connect = "import socket, sys; socket.create_connection(sys.argv[1:3], float(sys.argv[3])).close()"
            asked = [sys.executable, "-S", "-c", connect, address, port, patience]
        command = ["nsenter", f"--net={self.network}", *asked]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False, timeout=30).returncode == 0

    def execute(self, container: str, *command: str) -> str:
        """Run a command in a container that runs, as `kubectl exec` does, and return what it printed."""
        where = ["exec", "--env", f"PATH={self._path()}", self._name(container)]
        done = subprocess.run(self._runc(*where, *command), capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def _path(self) -> str:
        [path] = [each.removeprefix("PATH=") for each in self.image["Env"] if each.startswith("PATH=")]
        return str(path)

    def signal(self, container: str, name: str) -> None:
        """Send a signal to the first process of a container."""
        subprocess.run(self._runc("kill", self._name(container), name), check=True, timeout=30)

    def end(self) -> dict[str, int]:
        """End the containers as the kubelet does, within the grace that the pod has; return with what they ended."""
        for each in self._running:
            self.signal(each, "TERM")
        return {each: self.wait(each) for each in list(self._running)}

    def wait(self, container: str) -> int:
        """Return with what a container ended."""
        code = self._running[container].wait(self.spec["terminationGracePeriodSeconds"])
        del self._running[container]
        return code

    def kill(self) -> None:
        """Leave nothing running."""
        for each, process in self._running.items():
            with suppress(subprocess.CalledProcessError):
                self.signal(each, "KILL")
            process.wait(30)

    def _name(self, container: str) -> str:
        return f"{self.name}-{container}"

    def _runc(self, *arguments: str) -> list[str]:
        return ["runc", "--root", str(self.place / "runc"), *arguments]

    def _command(self, container: Mapping[str, Any]) -> list[str]:
        bundle = self.place / f"bundle-{container['name']}"
        bundle.mkdir(exist_ok=True)
        (bundle / "hosts").write_text("".join(f"{address} {name}\n" for name, address in self.hosts.items()))
        (bundle / "config.json").write_text(json.dumps(self._configuration(container, bundle)))
        return self._runc("run", "--bundle", str(bundle), self._name(container["name"]))

    def _configuration(self, container: Mapping[str, Any], bundle: Path) -> dict[str, Any]:
        of_pod, own = self.spec["securityContext"], container["securityContext"]
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert (of_pod["seccompProfile"], of_pod["runAsNonRoot"]) == ({"type": "RuntimeDefault"}, True)
        mounts = [
            {"destination": destination, "type": kind, "source": source, "options": options}
            for destination, kind, source, options in _SYSTEM
        ]
        for each in container["volumeMounts"]:
            options = ["rbind", "ro" if each.get("readOnly") else "rw"]
            source = str(self.place / each["name"])
            mounts.append({"destination": each["mountPath"], "type": "bind", "source": source, "options": options})
        mounts.append(
            {"destination": "/etc/hosts", "type": "bind", "source": str(bundle / "hosts"), "options": ["rbind", "ro"]}
        )
        return {
            "ociVersion": "1.0.2",
            "hostname": self.name,
            "root": {"path": str(self.root), "readonly": own["readOnlyRootFilesystem"]},
            "process": {
                "user": {"uid": of_pod["runAsUser"], "gid": of_pod["runAsGroup"], "additionalGids": [self.group]},
                "args": self._arguments(container),
                "env": [*self.image["Env"], f"HOSTNAME={self.name}"],
                "cwd": self.image.get("WorkingDir") or "/",
                "capabilities": {},
                "noNewPrivileges": not own["allowPrivilegeEscalation"],
            },
            "mounts": mounts,
            "linux": {
                "namespaces": [
                    *({"type": each} for each in ("pid", "ipc", "uts", "mount")),
                    {"type": "network", "path": self.network},
                ],
                "seccomp": self.calls,
            },
        }

    def _arguments(self, container: Mapping[str, Any]) -> Sequence[str]:
        if "command" in container:
            return [*container["command"], *container.get("args", ())]
        return [*self.image["Entrypoint"], *container.get("args", self.image.get("Cmd") or ())]


def runtime_default() -> dict[str, Any]:
    """Return which system calls a cluster allows by default, for a process without capabilities, in runc's form."""
    profile = json.loads(_PROFILE.read_text())
    machine = _MACHINES[platform.machine()]
    rules = [
        {key: rule[key] for key in ("names", "action", "args", "errnoRet") if rule.get(key) is not None}
        for rule in profile["syscalls"]
        if "caps" not in rule.get("includes", {}) and machine in rule.get("includes", {}).get("arches", [machine])
    ]
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile["defaultErrnoRet"],
        "architectures": [f"SCMP_ARCH_{platform.machine().upper()}"],
        "syscalls": rules,
    }


@contextmanager
def network(names: Sequence[str]) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the network namespace, by its path, and the address of each of two pods, which reach each other alone."""
    addresses = {name: f"192.0.2.{number}" for number, name in enumerate(names, start=1)}
    with ExitStack() as stack:
        holders = [stack.enter_context(_holder()) for _ in names]
        first, second = (each.pid for each in holders)
        inside = ["nsenter", f"--net=/proc/{first}/ns/net", "ip"]
        subprocess.run(
            [*inside, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(second)], check=True
        )
        for holder, name in zip(holders, names, strict=True):
            inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net", "ip"]
            subprocess.run([*inside, "address", "add", f"{addresses[name]}/24", "dev", "eth0"], check=True)
            subprocess.run([*inside, "link", "set", "eth0", "up"], check=True)
        yield {name: f"/proc/{each.pid}/ns/net" for name, each in zip(names, holders, strict=True)}, addresses


@contextmanager
def _holder() -> Iterator[subprocess.Popen[bytes]]:
    held = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert held.stdout is not None
    with held:
        held.stdout.readline()
        try:
            yield held
        finally:
            held.kill()
