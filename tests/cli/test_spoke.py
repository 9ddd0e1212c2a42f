import hashlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.contract.render import render_contract
from bothways.demo.customer_ca import make_server_files
from bothways.demo.process import BothwaysProcess
from bothways.operations.hub import Hub, contract

Run = Callable[..., "CompletedProcess[str]"]
SUBJECT = ("--country", "FR", "--state", "IDF", "--locality", "Paris", "--organization", "First Bank", "--unit", "Pay")


@pytest.fixture
def contract_file(hub: Hub, tmp_path: Path) -> Path:
    path = tmp_path / "published.toml"
    path.write_text(render_contract(contract(hub)))
    return path


@pytest.fixture
def in_spoke(bothways: Run, contract_file: Path, issuer: str, tmp_path: Path) -> Run:
    """Return a runner of spoke commands in a spoke that was made for the issuer."""
    directory = ("--directory", tmp_path / "spoke")
    assert bothways("spoke", "init", "--contract", contract_file, "--customer", issuer, *directory).returncode == 0
    return lambda *arguments: bothways("spoke", *arguments, *directory)


@pytest.fixture
def ready(in_spoke: Run, in_hub: Run, issuer: str, tmp_path: Path) -> Run:
    """The same, with the issued certificate installed."""
    assert in_spoke("csr", *SUBJECT).returncode == 0
    assert in_hub("request", "submit", issuer, tmp_path / "spoke" / "tls.csr").returncode == 0
    assert in_hub("request", "approve", 1, "--out", tmp_path / "issued.crt").returncode == 0
    assert in_spoke("install", tmp_path / "issued.crt").returncode == 0
    return in_spoke


def test_init_tells_what_is_next_and_happens_once(bothways: Run, contract_file: Path, hub: Hub, tmp_path: Path) -> None:
    digest = hashlib.sha256(contract_file.read_bytes()).hexdigest()
    arguments = ("spoke", "init", "--contract", contract_file, "--customer", "12345678", "--fingerprint", digest)
    done = bothways(*arguments, "--directory", tmp_path / "spoke", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "directory": str(tmp_path / "spoke"),
        "environment": "PPR",
        "endpoint": hub.terms.endpoint,
    }
    assert done.stderr.startswith("Next: bothways spoke csr ")
    again = bothways(*arguments, "--directory", tmp_path / "spoke")
    assert (again.returncode, again.stdout) == (2, "")


@pytest.mark.parametrize(
    ("source", "fingerprint", "code", "error"),
    [
        ("{file}", "0" * 64, 1, "refused"),
        ("/nonexistent", None, 2, "unusable"),
        ("ftp://portal.localhost/contract.toml", None, 2, "unusable"),
        ("https://portal.localhost:1/contract.toml", "0" * 64, 3, "unreachable"),
    ],
    ids=["wrong fingerprint", "no file", "not https", "nobody listens"],
)
def test_init_without_a_good_contract_makes_nothing(
    bothways: Run, contract_file: Path, tmp_path: Path, source: str, fingerprint: str | None, code: int, error: str
) -> None:
    pin = ("--fingerprint", fingerprint) if fingerprint else ()
    arguments = ("--contract", source.format(file=contract_file), "--customer", "1", *pin)
    done = bothways("spoke", "init", *arguments, "--directory", tmp_path / "spoke", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (code, error)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "spoke").exists()


def test_csr_tells_the_fingerprint_to_compare(in_spoke: Run, tmp_path: Path) -> None:
    document = json.loads(in_spoke("csr", *SUBJECT, "--json").stdout)
    assert document["key"] == str(tmp_path / "spoke" / "tls.key")
    der = subprocess.run(
        ["openssl", "req", "-in", document["request"], "-outform", "DER"], capture_output=True, check=True, timeout=30
    ).stdout
    assert document["fingerprint"] == hashlib.sha256(der).hexdigest()
    assert document["subject"].startswith("CN=TLSMA-ECDSA/12345678/PPR,")


def test_csr_can_print_openssl_commands_and_do_nothing(in_spoke: Run, tmp_path: Path) -> None:
    before = sorted((tmp_path / "spoke").iterdir())
    recipe = in_spoke("csr", *SUBJECT, "--openssl").stdout
    assert sorted((tmp_path / "spoke").iterdir()) == before
    subprocess.run(["sh", "-e", "-c", recipe], cwd=tmp_path / "spoke", capture_output=True, check=True, timeout=60)
    assert (tmp_path / "spoke" / "tls.csr").is_file()


def test_csr_refuses_a_bad_subject_with_all_findings(in_spoke: Run, tmp_path: Path) -> None:
    done = in_spoke("csr", *SUBJECT[2:], "--country", "France", "--json")
    assert (done.returncode, len(json.loads(done.stdout)["findings"])) == (1, 2)
    assert not (tmp_path / "spoke" / "tls.key").exists()


def test_install_refuses_what_is_not_its_own(ready: Run, contract_file: Path) -> None:
    assert ready("install", contract_file.parent / "missing.crt").returncode == 2
    done = ready("install", contract_file, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["id"] == "INSTALL-02"


def test_call_needs_a_certificate_a_path_and_a_hub(in_spoke: Run) -> None:
    done = in_spoke("call", "GET", "/connectivity")
    assert (done.returncode, done.stdout) == (2, "")
    assert "tls.key is missing" in done.stderr


def test_call_of_a_hub_that_does_not_run_is_3(ready: Run) -> None:
    done = ready("call", "GET", "/connectivity", "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (3, "unreachable")
    assert ready("call", "GET", "https://elsewhere.example/").returncode == 2


@pytest.mark.envoy
@pytest.mark.usefixtures("running_hub")
def test_call_of_a_running_hub(ready: Run, in_hub: Run, tmp_path: Path) -> None:
    done = ready("call", "get", "/connectivity")
    assert (done.returncode, json.loads(done.stdout)["customer"]) == (0, "12345678")
    assert "200 from api.ppr.hub.localhost" in done.stderr
    (tmp_path / "body").write_bytes(b"{}")
    unknown = ready("call", "POST", "/nothing-here", "--data", tmp_path / "body", "--json")
    assert (unknown.returncode, json.loads(unknown.stdout)["status"]) == (1, 404)
    missing: Any = ready("call", "POST", "/connectivity", "--data", tmp_path / "absent")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert in_hub("customer", "suspend", "12345678").returncode == 0
    assert ready("call", "GET", "/connectivity").returncode == 4


@pytest.mark.usefixtures("in_spoke")
def test_listen_says_where_and_sigterm_ends_it_with_0(tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.localhost")
    arguments = ["spoke", "listen", "--directory", str(tmp_path / "spoke"), "--address", "127.0.0.1", "--port", "0"]
    arguments += ["--certificate", str(made.certificate), "--key", str(made.key)]
    process = BothwaysProcess(arguments, tmp_path / "listen.log")
    try:
        assert process.next_line(30)["listening"].startswith("127.0.0.1:")
        os.kill(process.pid, signal.SIGTERM)
        with pytest.raises(RuntimeError, match="the process ended with 0"):
            process.next_line(30)
    finally:
        process.stop()


def test_listen_on_a_port_in_use_is_3_and_without_certificates_2(in_spoke: Run, tmp_path: Path) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.localhost")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        pair = ("--certificate", made.certificate, "--key", made.key)
        done = in_spoke("listen", *pair, "--address", "127.0.0.1", "--port", port, "--json")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (3, "unreachable")
    missing = in_spoke("listen", "--certificate", tmp_path / "no.crt", "--key", tmp_path / "no.key", "--port", 0)
    assert (missing.returncode, missing.stdout) == (2, "")
    assert len(missing.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", [("csr", *SUBJECT), ("install", "x.crt"), ("call", "GET", "/")], ids=lambda c: c[0])
def test_a_directory_without_a_spoke_is_said(bothways: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = bothways("spoke", *command, "--directory", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no spoke. Make one: bothways spoke init" in done.stderr
