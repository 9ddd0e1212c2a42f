"""A hub that does not run our software: its CA is OpenSSL, its endpoint nginx, its common names are other ones.

All that the customer has is a preset of their own, and what the hub sends.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from tests.programs import needs
from tests.wire import servers

from bothways.contract.document import PUBLIC, Software
from bothways.spoke.directory import open_spoke

Run = Callable[..., "CompletedProcess[str]"]
SUBJECT = ("--country", "FR", "--state", "IDF", "--locality", "Paris", "--organization", "First Bank", "--unit", "Pay")
PRESET = """
format = 1
[preset]
title = "Some hub"
[[preset.unsure]]
setting = "request.common_name"
suggestion = "MA-{{algorithm}}.{{tspId}}.{{environment}}"
why = "seen in an e-mail"
[[preset.unsure]]
setting = "trust.server_ca"
suggestion = "public"
why = "not told"
[hub]
software = "other"
environment = "PRD"
endpoint = "https://hub.localhost:{port}"
[request]
ecdsa_marker = "EC"
"""
COMMON_NAME = "MA-EC.12345678.PRD"

pytestmark = [
    needs("nginx"),
    needs("openssl"),
]


@dataclass(frozen=True)
class OtherHub:
    """A CA made with OpenSSL, and nginx that lets its customers in."""

    directory: Path

    def openssl(self, *arguments: object) -> str:
        done = subprocess.run(
            ["openssl", *map(str, arguments)], cwd=self.directory, check=True, capture_output=True, text=True
        )
        return done.stdout

    def make_ca(self) -> None:
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key")
        self.openssl("req", "-x509", *key, "-subj", "/CN=Customers of some hub", "-days", "90", "-out", "issuing.crt")

    def sign(self, request: Path, usage: str = "clientAuth") -> Path:
        """Return the certificate for a request, followed by the CA's, as such hubs send it."""
        (self.directory / "usage").write_text(f"extendedKeyUsage = {usage}\n")
        signed = ("-CA", "issuing.crt", "-CAkey", "ca.key", "-days", "60", "-extfile", "usage")
        own = self.openssl("x509", "-req", "-in", request.absolute(), *signed)
        (self.directory / "own.crt").write_text(own)
        path = self.directory / "sent.pem"
        path.write_text(own + (self.directory / "issuing.crt").read_text())
        return path

    @property
    def fingerprint(self) -> str:
        return self.openssl("x509", "-in", "issuing.crt", "-noout", "-fingerprint", "-sha256").partition("=")[2].strip()


@pytest.fixture
def other(tmp_path: Path) -> OtherHub:
    directory = tmp_path / "hub"
    directory.mkdir()
    made = OtherHub(directory)
    made.make_ca()
    return made


@pytest.fixture
def served(other: OtherHub, tmp_path: Path) -> Iterator[int]:
    pki = servers.make_pki(other.directory, (other.directory / "issuing.crt").read_text(), "hub.localhost")
    (tmp_path / "platform.pem").write_text(pki.root)
    tls = f"ssl_protocols TLSv1.2 TLSv1.3; ssl_verify_client on; ssl_client_certificate {pki.client_ca};"
    location = 'if ($uri ~ "^/connectivity") { return 403; } return 200 $ssl_client_s_dn;'
    with servers.nginx(pki, tls, location) as port:
        yield port


@pytest.fixture
def spoke(served: int, tmp_path: Path) -> Run:
    """Return a runner of spoke commands in another process: the platform's CAs are read by OpenSSL when it starts."""
    presets = tmp_path / "config" / "bothways" / "presets"
    presets.mkdir(parents=True)
    (presets / "some-hub.toml").write_text(PRESET.format(port=served))
    environment = os.environ | {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "SSL_CERT_FILE": str(tmp_path / "platform.pem"),
    }

    def run(*arguments: object) -> "CompletedProcess[str]":
        argv = [sys.executable, "-m", "bothways", "spoke", *map(str, arguments), "--directory", str(tmp_path / "bank")]
        return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, timeout=100)

    return run


def test_csr_install_call_and_check_work_against_it(spoke: Run, other: OtherHub, tmp_path: Path) -> None:
    start = ("init", "--contract", "some-hub", "--customer", "12345678")
    asked = spoke(*start)
    assert asked.returncode == 2
    assert "--confirm 'request.common_name=MA-{algorithm}.{tspId}.{environment}'" in asked.stderr
    assert not (tmp_path / "bank").exists()
    pattern = "request.common_name=MA-{algorithm}.{tspId}.{environment}"
    made = spoke(*start, "--confirm", pattern, "--confirm", "trust.server_ca=public", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["confirmed"] == [pattern.replace("=", " = "), "trust.server_ca = public"]
    contract = open_spoke(tmp_path / "bank").contract
    assert (contract.terms.software, contract.trust.server_ca) == (Software.OTHER, PUBLIC)
    assert (contract.trust.issuing_ca, contract.trust.client_ca) == ("", "")

    assert spoke("csr", *SUBJECT).returncode == 0
    assert f"CN = {COMMON_NAME}" in other.openssl("req", "-in", tmp_path / "bank" / "tls.csr", "-noout", "-subject")
    sent = other.sign(tmp_path / "bank" / "tls.csr")
    unknown = spoke("install", sent)
    assert unknown.returncode == 1
    assert "INSTALL-09" in unknown.stderr
    assert other.fingerprint.lower().replace(":", "") in unknown.stderr
    assert spoke("install", sent, "--ca-fingerprint", "0" * 64).returncode == 1
    installed = spoke("install", sent, "--ca-fingerprint", other.fingerprint)
    assert installed.returncode == 0, installed.stderr

    called = spoke("call", "GET", "/hello")
    assert (called.returncode, COMMON_NAME in called.stdout) == (0, True), called.stderr
    checked = spoke("check", "--json")
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["outcome"]) == (0, "ok"), checked.stderr
    assert {each["id"] for each in report["findings"]} == {"CHECK-ACCESS-03"}
    renewed = spoke("renew", "--force", "--json")
    assert (renewed.returncode, json.loads(renewed.stdout)["outcome"]) == (5, "by hand")
    # From now on the CA is known, and the next certificate needs no word about it.
    assert spoke("install", other.sign(tmp_path / "bank" / "renewal" / "tls.csr")).returncode == 0
    assert "trust.server_ca = public" in spoke("status").stdout


def confirmed(spoke: Run, *more: str) -> None:
    pattern = "request.common_name=MA-{algorithm}.{tspId}.{environment}"
    start = ("init", "--contract", "some-hub", "--customer", "12345678", "--confirm", pattern)
    assert spoke(*start, *(more or ("--confirm", "trust.server_ca=public"))).returncode == 0
    assert spoke("csr", *SUBJECT).returncode == 0


def test_the_issuing_ca_can_be_named_as_a_file(spoke: Run, other: OtherHub, tmp_path: Path) -> None:
    confirmed(spoke)
    other.sign(tmp_path / "bank" / "tls.csr")
    alone = spoke("install", other.directory / "own.crt")
    assert (alone.returncode, "--ca FILE" in alone.stderr) == (1, True)
    assert spoke("install", other.directory / "own.crt", "--ca", other.directory / "own.crt").returncode == 1
    assert spoke("install", other.directory / "own.crt", "--ca", other.directory / "issuing.crt").returncode == 0
    assert "Customers of some hub" in spoke("status", "--json").stdout


@pytest.mark.parametrize(
    ("usage", "name", "finding"),
    [("serverAuth", COMMON_NAME, "INSTALL-05"), ("clientAuth", "MA-EC.87654321.PRD", "INSTALL-04")],
    ids=["purpose", "name"],
)
def test_what_is_not_ours_is_refused_all_the_same(
    spoke: Run, other: OtherHub, tmp_path: Path, usage: str, name: str, finding: str
) -> None:
    confirmed(spoke)
    key = tmp_path / "bank" / "tls.key"
    request = tmp_path / "strange.csr"
    other.openssl("req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
    done = spoke("install", other.sign(request, usage), "--ca-fingerprint", other.fingerprint)
    assert (done.returncode, finding in done.stderr) == (1, True), done.stderr


def test_the_hub_is_believed_by_the_ca_that_was_named_and_by_no_public_one(
    spoke: Run, other: OtherHub, tmp_path: Path
) -> None:
    confirmed(spoke, "--confirm", f"trust.server_ca={other.directory / 'issuing.crt'}")
    sent = other.sign(tmp_path / "bank" / "tls.csr")
    assert spoke("install", sent, "--ca-fingerprint", other.fingerprint).returncode == 0
    assert spoke("call", "GET", "/hello").returncode == 4
    assert {each["id"] for each in json.loads(spoke("check", "--json").stdout)["findings"]} == {"CHECK-HUB-02"}


def test_calls_of_the_hub_are_not_taken_before_its_client_ca_and_name_are_known(
    spoke: Run, other: OtherHub, tmp_path: Path
) -> None:
    confirmed(spoke)
    server = ("--certificate", other.directory / "tls.crt", "--key", other.directory / "tls.key", "--port", "0")
    (other.directory / "tls.key").chmod(0o600)
    refused = spoke("listen", *server)
    assert (refused.returncode, "--client-ca FILE" in refused.stderr) == (2, True)
    assert spoke("install", "--client-ca", other.directory / "tls.crt").returncode == 1
    assert spoke("install", "--client-ca", other.directory / "issuing.crt").returncode == 0
    assert (tmp_path / "bank" / "client-ca.crt").read_text() == (other.directory / "issuing.crt").read_text()
    nameless = spoke("listen", *server)
    assert (nameless.returncode, "domain, under [hub]" in nameless.stderr) == (2, True)
