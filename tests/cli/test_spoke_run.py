import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.conftest import free_ports
from tests.forked import ForkedProcess
from tests.wire.conftest import World

from bothways import files
from bothways.demo.customer_ca import make_server_files
from bothways.operations.hub import Hub
from bothways.spoke.directory import Spoke

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def spoke(hub: Hub, issuer: str, tmp_path: Path) -> Spoke:
    made = World(hub, tmp_path).certified(issuer)[0]
    files.write_new(made.directory / "spoke.toml", f'customer = "{issuer}"\n'.encode())
    return made


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--app", "http://127.0.0.1:8080"), "--certificate FILE --key FILE"),
        (("--app", "https://127.0.0.1:8080", "--certificate", "a", "--key", "b"), "no address of a local application"),
        (("--certificate", "a", "--key", "b"), "--app http://HOST:PORT"),
        (("--local-port", "70000"), "70000 is no port"),
        (("--danger-local-address", "localhost"), "no IP address to listen at"),
        (("--dns", "dns.example"), "no DNS server"),
        (("--dns", "10.0.0.2:99999"), "99999 is no port"),
        (("--run-directory", "/" + "a" * 120), "too long for a socket"),
        (("--envoy", "/nonexistent"), "bothways[sidecar]"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    bothways: Run, spoke: Spoke, arguments: tuple[str, ...], said: str
) -> None:
    done = bothways("spoke", "run", "--directory", spoke.directory, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.envoy
def test_it_says_where_it_listens_and_whom_it_trusts_and_status_sees_it(
    bothways: Run, spoke: Spoke, hub: Hub, tmp_path: Path
) -> None:
    server, (local, port) = make_server_files(tmp_path, "First Bank", "callbacks.localhost"), free_ports(2)
    arguments = ["spoke", "run", "--directory", str(spoke.directory), "--local-port", str(local), "--port", str(port)]
    arguments += ["--address", "127.0.0.1", "--app", "http://127.0.0.1:9", "--certificate", str(server.certificate)]
    process = ForkedProcess([*arguments, "--key", str(server.key)], tmp_path / "run.log")
    try:
        said = process.next_line(60)
        assert (said["hub"], said["local"]) == (hub.terms.endpoint, f"http://127.0.0.1:{local}")
        assert said["callbacks"]["listening"] == f"127.0.0.1:{port}"
        assert len(said["callbacks"]["trusts"][0]["fingerprint"]) == 64
        document = json.loads(bothways("spoke", "status", "--directory", spoke.directory, "--json").stdout)
        assert document["sidecar"]["supervisor"] == process.pid
        again = bothways("spoke", "run", "--directory", spoke.directory, "--local-port", local)
        assert (again.returncode, "kept running" in again.stderr) == (2, True)
    finally:
        process.stop()
    document = json.loads(bothways("spoke", "status", "--directory", spoke.directory, "--json").stdout)
    assert document["sidecar"] is None
    assert document["server_certificate"]["file"] == str(server.certificate)
