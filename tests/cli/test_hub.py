import asyncio
import hashlib
import json
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bothways.cli.hub_envoy import hub_site
from bothways.contract.document import CertificateTerms
from bothways.contract.parse import parse_contract
from bothways.contract.render import render_contract, render_terms
from bothways.dataplane.envoy_state import state_of
from bothways.dataplane.publisher import current_snapshot
from bothways.dataplane.supervised import supervisor_command
from bothways.operations.closure import current_closure, shut_endpoint
from bothways.operations.delivery import deliver_notices
from bothways.operations.expiry import record_notices
from bothways.operations.hub import Hub, contract, open_hub
from bothways.operations.rollout import hold_back, read_rollout
from bothways.operations.rotation import own_certificates
from bothways.xds.staging import HeldBack

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]
INIT = ("hub", "init", "--environment", "PPR", "--domain", "hub.example")


def test_a_hub_is_made_and_people_are_told_what_is_next(bothways: Run, tmp_path: Path) -> None:
    directory = tmp_path / "hub"
    done = bothways(*INIT, "--inbound-port", 443, "--directory", directory)
    assert done.returncode == 0
    assert done.stdout == f"A hub for PPR is in {directory}: https://api.hub.example\n"
    assert done.stderr == f"Next: bothways hub run --directory {directory}\n"
    assert stat.S_IMODE((directory / "passphrase").stat().st_mode) == 0o600
    assert not (directory / "keys").exists()


def test_a_hub_with_a_key_in_a_token_is_made_and_a_key_that_was_there_is_said(
    bothways: Run, tmp_path: Path, token_uri: str
) -> None:
    first = bothways(*INIT, "--signer", token_uri, "--directory", tmp_path / "first", "--json")
    assert json.loads(first.stdout)["issuing_key"] == {"name": "pkcs11:object=issuing-ca", "existed": False}
    assert "already" not in first.stderr
    again = bothways(*INIT, "--signer", token_uri, "--directory", tmp_path / "again", "--json")
    assert json.loads(again.stdout)["issuing_key"]["existed"] is True
    assert "was in the token already, and is the issuing CA's now" in again.stderr


def test_a_signer_that_cannot_be_used_makes_nothing(bothways: Run, tmp_path: Path) -> None:
    done = bothways(*INIT, "--signer", "pkcs11:token=hub", "--directory", tmp_path / "hub")
    assert (done.returncode, done.stdout) == (2, "")
    assert "has no object, module-path, pin-source" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_cas_keys_and_the_passphrase_are_chosen_when_a_hub_is_made(bothways: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    (tmp_path / "secret").chmod(0o600)
    options = ("--ca-key", "rsa4096", "--passphrase-file", tmp_path / "secret")
    done = bothways(*INIT, *options, "--directory", tmp_path / "hub")
    assert done.returncode == 0
    assert not (tmp_path / "hub" / "passphrase").exists()
    trust = parse_contract(bothways("hub", "contract", "--directory", tmp_path / "hub").stdout).trust
    key = x509.load_pem_x509_certificate(trust.issuing_ca.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)


def test_a_directory_that_holds_a_hub_is_left_as_it_is(bothways: Run, hub: Hub) -> None:
    before = {path: path.read_bytes() for path in hub.directory.rglob("*") if path.is_file()}
    done = bothways(*INIT, "--directory", hub.directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert "already holds a hub" in done.stderr
    assert {path: path.read_bytes() for path in hub.directory.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("place", ["file", "file/below", "filled", "/proc/hub", "/dev/null/hub"])
def test_a_place_that_cannot_hold_a_hub_is_said_in_one_line(bothways: Run, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "filled").mkdir()
    (tmp_path / "filled" / "something").touch()
    done = bothways(*INIT, "--directory", tmp_path / place)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "filled", "something"}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--environment", "TEST"),
        ("--domain", ""),
        ("--domain", "hub example"),
        ("--domain", "https://hub.example"),
        ("--domain", "hüb.example"),
        ("--domain", "hub..example"),
        ("--domain", "a" * 41 + ".example"),
        ("--inbound-port", "0"),
        ("--portal-port", "65536"),
        ("--egress-port", "http"),
    ],
)
def test_a_bad_value_makes_nothing(bothways: Run, tmp_path: Path, option: str, value: str) -> None:
    values = {"--environment": "PPR", "--domain": "hub.example"} | {option: value}
    done = bothways("hub", "init", *[each for pair in values.items() for each in pair], "--directory", tmp_path / "h")
    assert (done.returncode, done.stdout) == (2, "")
    assert option in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_longest_domain_that_is_taken_makes_a_hub_that_opens(bothways: Run, tmp_path: Path) -> None:
    domain = "a" * 40 + ".example"
    done = bothways("hub", "init", "--environment", "PPR", "--domain", domain, "--directory", tmp_path / "h")
    assert done.returncode == 0
    assert bothways("customer", "list", "--directory", tmp_path / "h").returncode == 0


def test_the_contract_is_printed_byte_for_byte_as_it_is_published(in_hub: Run, hub: Hub, document: Document) -> None:
    done = in_hub("hub", "contract")
    assert parse_contract(done.stdout) == contract(hub)
    assert done.stdout == render_contract(contract(hub))
    digest = hashlib.sha256(done.stdout.encode()).hexdigest()
    assert digest in done.stderr
    assert document("hub", "contract") == {"contract": done.stdout, "fingerprint": digest}


@pytest.mark.parametrize("key", ["ecdsa", "rsa"])
def test_the_printed_openssl_commands_make_a_request_that_the_hub_takes(
    in_hub: Run, document: Document, issuer: str, tmp_path: Path, key: str
) -> None:
    recipe = in_hub("hub", "contract", "--openssl", issuer, "--key", key, "--country", "FR").stdout
    subprocess.run(["sh", "-e", "-c", recipe], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    stored = document("request", "submit", issuer, tmp_path / "tls.csr")
    assert f"CN=TLSMA-{key.upper()}/{issuer}/PPR" in stored["subject"]
    assert document("request", "show", stored["id"])["findings"] == []
    assert stat.S_IMODE((tmp_path / "tls.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("shell", "said"), [("bash", "set -eu"), ("powershell", "$configuration = @'"), ("configuration", "[req]")]
)
def test_the_openssl_commands_are_printed_for_the_shell_that_is_named(
    in_hub: Run, issuer: str, shell: str, said: str
) -> None:
    recipe = in_hub("hub", "contract", "--openssl", issuer, "--country", "FR", "--shell", shell).stdout
    assert said in recipe.splitlines()
    assert f'CN = "TLSMA-ECDSA/{issuer}/PPR"' in recipe.splitlines()


def test_openssl_commands_need_a_known_customer_and_a_good_subject(in_hub: Run, issuer: str) -> None:
    unknown = in_hub("hub", "contract", "--openssl", "999")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    bad = in_hub("hub", "contract", "--openssl", issuer, "--country", "France", "--json")
    assert (bad.returncode, [each["id"] for each in json.loads(bad.stdout)["findings"]]) == (
        1,
        ["CSR-SUBJECT-02", "CSR-SUBJECT-02"],
    )


def test_status_of_a_hub_that_does_not_run_is_1(in_hub: Run, document: Document, issuer: str, hub: Hub) -> None:
    status = document("hub", "status", code=1)
    assert (status["environment"], status["endpoint"], status["running"]) == ("PPR", hub.terms.endpoint, None)
    assert status["envoy"]["pid"] is None
    assert [each["customer"] for each in status["customers"]] == [issuer]
    done = in_hub("hub", "status")
    assert f"PPR {hub.terms.endpoint}: not running\nEnvoy: not running\n" in done.stdout
    assert "First Bank" in done.stdout
    assert "bothways hub run --directory" in done.stderr


def test_status_tells_what_ends_and_which_notice_failed(
    in_hub: Run, document: Document, hub: Hub, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    document("customer", "contact", "add", issuer, "--email", "pki@bank.example")
    soon = replace(hub.terms, certificate=CertificateTerms(validity_days=5))
    (hub.directory / "contract.toml").write_text(render_terms(soon))
    document("hub", "terms", "--take")
    (hub.directory / "tls.csr").write_bytes(make_csr())
    number = document("request", "submit", issuer, hub.directory / "tls.csr")["id"]
    serial = document("request", "approve", number)["serial"]
    with open_hub(hub.directory, "tester") as opened:
        record_notices(opened)
        asyncio.run(deliver_notices(opened))
    status = document("hub", "status", code=1)
    assert [(each["kind"], each["subject"], each["days"]) for each in status["expiring"]] == [
        ("certificate", serial, 4)
    ]
    assert [each["contact"] for each in status["notices"]["failing"]] == ["pki@bank.example"]
    text = in_hub("hub", "status").stdout
    assert f"The client certificate {serial}" in text
    assert "notice to pki@bank.example failed" in text


# The HTTP library leaves a unix socket that it could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_shut_is_opened_on_record_and_what_is_open_is_2(in_hub: Run, document: Document, hub: Hub) -> None:
    assert in_hub("hub", "reopen").returncode == 2
    shut_endpoint(hub, "let in")
    done = document("hub", "reopen")
    assert (done["reason"], done["in_force"]) == ("let in", None)
    assert current_closure(hub) is None


def test_what_is_held_back_is_let_go_of_on_record_and_where_nothing_is_that_is_2(
    in_hub: Run, document: Document, hub: Hub
) -> None:
    assert in_hub("hub", "retry").returncode == 2
    hold_back(hub, HeldBack("v2", "eu-1", "and refused it: no room", "d"))
    done = document("hub", "retry", "--reason", "its disk was full")
    assert (done["node"], done["in_force"]) == ("eu-1", None)
    assert read_rollout(hub).held is None


def test_metrics_of_a_hub_that_does_not_run_are_1(in_hub: Run) -> None:
    done = in_hub("hub", "metrics")
    assert (done.returncode, done.stdout) == (1, "")
    assert "hub run" in done.stderr


@pytest.mark.envoy
def test_status_of_a_running_hub_tells_what_its_envoy_serves(running_hub: Hub, bothways: Run) -> None:
    done = bothways("hub", "status", "--directory", running_hub.directory)
    assert (done.returncode, done.stderr) == (0, "")
    assert "running, 1 of 1 Envoy up to date" in done.stdout
    status = json.loads(bothways("hub", "status", "--directory", running_hub.directory, "--json").stdout)
    assert status["running"]["envoy"]["restarts"] == 0
    assert (status["envoy"]["source"], status["envoy"]["pid"]) == ("hub", status["running"]["envoy"]["pid"])
    assert f"Envoy: process {status['envoy']['pid']} since " in done.stdout
    assert "configured by the hub; started again 0 times, taken over 0 times" in done.stdout
    assert status["certificates"] == own_certificates(running_hub)
    for each in own_certificates(running_hub).values():
        assert each["not_after"][:10] in done.stdout
    assert [(each["number"], each["in_envoy"]) for each in status["revocation_lists"]] == [(1, True)]
    assert (status["expiring"], status["notices"]) == ([], {"waiting": 0, "failing": []})
    metrics = bothways("hub", "metrics", "--directory", running_hub.directory)
    assert metrics.returncode == 0
    assert 'bothways_problem{namespace="PPR"} 0.0' in metrics.stdout
    assert status["running"]["nodes"][0]["refused"] == {}


@pytest.mark.parametrize("command", [("status",), ("contract",), ("run",)], ids=lambda each: each[0])
def test_a_directory_without_a_hub_is_said(bothways: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    done = bothways("hub", *command, "--directory", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no hub. Make one: bothways hub init" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_settings_that_are_wrong_are_all_said(in_hub: Run, hub: Hub) -> None:
    (hub.directory / "hub.toml").write_text("[listen]\ninbound_port = 0\nportal_port = 'x'\nnonsense = 1\n")
    done = in_hub("hub", "status", "--json")
    assert done.returncode == 1
    found = [each["message"].split(":")[0] for each in json.loads(done.stdout)["findings"]]
    assert sorted({*found}) == ["listen.inbound_port", "listen.nonsense", "listen.portal_port"]


@pytest.mark.envoy
def test_status_tells_of_an_envoy_that_goes_on_without_the_hub(bothways: Run, hub: Hub) -> None:
    hub_site(hub.directory, hub.settings).saved.save(current_snapshot(hub), hub.now())
    with subprocess.Popen(supervisor_command(hub.directory), stderr=subprocess.DEVNULL) as process:
        try:
            end = time.monotonic() + 30
            while state_of(hub.run_directory)["pid"] is None:
                assert time.monotonic() < end
                time.sleep(0.02)
            done = bothways("hub", "status", "--directory", hub.directory)
        finally:
            process.terminate()
    assert done.returncode == 1
    assert "configured by the snapshot of 20" in done.stdout
    assert "The hub does not run. Its Envoy goes on with what it has. Start it:" in done.stderr
