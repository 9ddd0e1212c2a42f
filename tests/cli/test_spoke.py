import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from tests.cli.conftest import SUBJECT
from tests.forked import ForkedProcess

from bothways.demo.customer_ca import make_server_files
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.spoke.directory import open_spoke, remember_server

Run = Callable[..., "CompletedProcess[str]"]


def test_init_tells_what_is_next_and_happens_once(bothways: Run, contract_file: Path, hub: Hub, tmp_path: Path) -> None:
    digest = hashlib.sha256(contract_file.read_bytes()).hexdigest()
    arguments = ("spoke", "init", "--contract", contract_file, "--customer", "12345678", "--fingerprint", digest)
    done = bothways(*arguments, "--directory", tmp_path / "spoke", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "directory": str(tmp_path / "spoke"),
        "environment": "PPR",
        "endpoint": hub.terms.endpoint,
        "contract": digest,
    }
    assert done.stderr.startswith("Next: bothways spoke csr ")
    again = bothways(*arguments, "--directory", tmp_path / "spoke")
    assert (again.returncode, again.stdout) == (2, "")


def test_init_tells_the_contracts_digest_that_nobody_compared_yet(
    bothways: Run, contract_file: Path, tmp_path: Path
) -> None:
    done = bothways("spoke", "init", "--contract", contract_file, "--customer", "1", "--directory", tmp_path / "spoke")
    digest = hashlib.sha256(contract_file.read_bytes()).hexdigest()
    assert f"  contract, SHA-256, to compare by phone: {digest}\n" in done.stdout


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
    assert in_hub("customer", "suspend", "12345678", "--reason", "tested").returncode == 0
    assert ready("call", "GET", "/connectivity").returncode == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_listen_says_where_and_whom_it_trusts_and_a_signal_ends_it_with_0_whatever_is_open(
    in_spoke: Run, hub: Hub, tmp_path: Path, number: signal.Signals
) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.localhost")
    arguments = ["spoke", "listen", "--directory", str(tmp_path / "spoke"), "--address", "127.0.0.1", "--port", "0"]
    arguments += ["--certificate", str(made.certificate), "--key", str(made.key), "--forward", "http://127.0.0.1:1"]
    process = ForkedProcess(arguments, tmp_path / "listen.log")
    try:
        first = process.next_line(30)
        host, port = first["listening"].split(":")
        assert first["application"] == "http://127.0.0.1:1"
        assert (first["hosts"], first["hub"]) == (["callbacks.localhost"], hub.terms.hub)
        [trusted] = x509.load_pem_x509_certificates((tmp_path / "spoke" / "client-ca.crt").read_bytes())
        assert [each["fingerprint"] for each in first["trusts"]] == [trusted.fingerprint(SHA256()).hex()]
        pair = hub_state(hub).client
        (tmp_path / "hub.pem").write_text(pair.key_pem + pair.certificate_pem)
        context = ssl.create_default_context(cafile=str(made.chain))
        context.load_cert_chain(tmp_path / "hub.pem")
        with (
            socket.create_connection((host, int(port))),
            context.wrap_socket(
                socket.create_connection((host, int(port))), server_hostname="callbacks.localhost"
            ) as up,
        ):
            up.sendall(b"GET / HTTP/1.1\r\nHost: callbacks.localhost\r\n\r\n")
            assert process.next_line(30)["method"] == "GET"
            assert up.recv(65536).startswith(b"HTTP/1.1 502 ")
            os.kill(process.pid, number)
            with pytest.raises(RuntimeError, match="the process ended with 0"):
                process.next_line(30)
    finally:
        process.stop()
    document = json.loads(in_spoke("status", "--json").stdout)
    assert document["server_certificate"]["file"] == str(made.certificate)


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


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("call", "GET", "/a\nb"), 2),
        (("call", "GET", "/a\0b"), 2),
        (("call", "GET", "/a\udcff"), 2),
        (("call", "G\udcff", "/a"), 2),
        (("call", "GET", "/a", "--data", "a" * 300), 2),
        (("call", "GET", "/a", "--data", "a\0b"), 2),
        (("install", "a" * 300), 2),
        (("install", "a\0b"), 2),
        (("install", "\udcff"), 2),
        (("csr", *SUBJECT[2:], "--country", "\udcff"), 1),
        (("csr", *SUBJECT[2:], "--country", "F\0"), 1),
        (("listen", "--certificate", "a\0b", "--key", "\udcff", "--port", "0"), 2),
        (("listen", "--certificate", "/dev/null", "--key", "/dev/null", "--port", "70000"), 2),
    ],
    ids=ascii,
)
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "JSON"])
def test_bad_arguments_are_said_in_sentences(
    ready: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, as_json: tuple[str, ...]
) -> None:
    def listing() -> list[Path]:
        return sorted((tmp_path / "spoke").rglob("*"))

    before = listing()
    done = ready(*arguments, *as_json)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "which it should not" not in done.stderr
    assert listing() == before
    if as_json:
        assert json.loads(done.stdout)["error"] in {"unusable", "refused"}


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "\udcff", "published.toml", "published.toml/below"], ids=ascii)
def test_directories_that_cannot_be_are_said(bothways: Run, contract_file: Path, tmp_path: Path, name: str) -> None:
    directory = ("--directory", f"{tmp_path}/{name}")
    commands = [("csr", *SUBJECT), ("install", contract_file), ("call", "GET", "/"), ("status",)]
    if name != "\udcff":
        commands.append(("init", "--contract", contract_file, "--customer", "1"))
    for command in commands:
        done = bothways("spoke", *command, *directory)
        assert (done.returncode, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert "which it should not" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [contract_file.name]


def test_a_directory_that_this_user_may_not_write_to_is_said_and_left_alone(
    bothways: Run, ready: Run, contract_file: Path, tmp_path: Path
) -> None:
    assert ready("status").returncode == 0
    open_to_read = tmp_path / "spoke"
    for path in (*tmp_path.parents, tmp_path, open_to_read):
        if path.stat().st_uid == os.getuid() and path.is_relative_to(tempfile.gettempdir()):
            path.chmod(path.stat().st_mode | 0o055)
    before = sorted(open_to_read.rglob("*"))
    open_to_read.chmod(0o555)
    commands = [
        (("csr", *SUBJECT), open_to_read, "permission denied"),
        (("init", "--contract", contract_file, "--customer", "1"), open_to_read / "new", "cannot be written"),
    ]
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)
        for command, directory, said in commands:
            done = bothways("spoke", *command, "--directory", directory)
            assert (done.returncode, done.stdout) == (2, ""), done.stderr
            assert said in done.stderr
            assert len(done.stderr.splitlines()) == 1
    finally:
        os.seteuid(user)
        open_to_read.chmod(0o755)
    assert sorted(open_to_read.rglob("*")) == before


def test_a_renewal_with_our_command_and_with_openssl(ready: Run, in_hub: Run, issuer: str, tmp_path: Path) -> None:
    old = (tmp_path / "spoke" / "tls.crt").read_bytes()
    done = ready("csr", *SUBJECT, "--json")
    assert json.loads(done.stdout)["request"] == str(tmp_path / "spoke" / "renewal" / "tls.csr")
    assert "stay in use until the new certificate is installed" in done.stderr
    again = ready("csr", *SUBJECT)
    assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
    for number in (2, 3):
        if number == 3:
            recipe = ready("csr", *SUBJECT, "--openssl").stdout
            subprocess.run(["sh", "-e", "-c", recipe], capture_output=True, check=True, timeout=60, cwd=tmp_path)
        assert in_hub("request", "submit", issuer, tmp_path / "spoke" / "renewal" / "tls.csr").returncode == 0
        assert in_hub("request", "approve", number, "--out", tmp_path / f"{number}.crt").returncode == 0
        done = ready("install", tmp_path / f"{number}.crt", "--json")
        assert json.loads(done.stdout)["previous"] == str(tmp_path / "spoke" / "previous")
        assert (tmp_path / "spoke" / "previous" / "tls.crt").read_bytes() == old
        old = (tmp_path / "spoke" / "tls.crt").read_bytes()
    repeated = ready("install", tmp_path / "3.crt")
    assert (repeated.returncode, "was installed already" in repeated.stdout) == (0, True)


def test_status_tells_what_is_next_and_its_code_what_is_wrong(in_spoke: Run, in_hub: Run, issuer: str) -> None:
    done = in_spoke("status", "--json")
    assert (done.returncode, json.loads(done.stdout)["certificate"]) == (1, None)
    assert "bothways spoke csr --country" in done.stderr
    assert in_spoke("csr", *SUBJECT).returncode == 0
    directory = Path(json.loads(in_spoke("status", "--json").stdout)["directory"])
    assert in_hub("request", "submit", issuer, directory / "tls.csr").returncode == 0
    assert in_hub("request", "approve", 1, "--out", directory / "issued.crt").returncode == 0
    assert in_spoke("install", directory / "issued.crt").returncode == 0
    done = in_spoke("status")
    assert done.returncode == 0
    assert "Next: Look at both ways. bothways spoke check" in done.stderr
    assert "days left" in done.stdout


@pytest.mark.parametrize(("days", "said"), [(29, "28 days left"), (-1, "expired 2 days ago")])
def test_status_is_5_when_a_certificate_of_the_server_ends(ready: Run, tmp_path: Path, days: int, said: str) -> None:
    made = make_server_files(tmp_path, "First Bank", "callbacks.localhost", days)
    remember_server(open_spoke(tmp_path / "spoke"), made.certificate)
    done = ready("status")
    assert done.returncode == 5
    assert said in done.stdout
