import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.pki.chain import certificate_pem, fingerprint

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]
ADD = ("service", "add", "tokens", "--prefix", "/tokens", "--upstream", "http://127.0.0.1:9000")


def test_a_service_is_added_granted_withdrawn_and_listed(document: Document, issuer: str) -> None:
    added = document(*ADD)
    assert added == {
        "name": "tokens",
        "prefix": "/tokens",
        "upstream": "http://127.0.0.1:9000",
        "upstream_ca": [],
        "http2": False,
        "timeout": 60,
        "streaming": 0,
        "health_path": None,
        "strip_prefix": False,
        "client_cert": True,
        "needs": ["inbound"],
        "customers": 0,
        "in_force": None,
    }
    added.pop("in_force")
    assert document("service", "grant", "tokens", issuer)["granted"] is True
    assert document("service", "list") == [added | {"customers": 1}]
    assert document("service", "grants", "tokens") == [{"customer": issuer, "organization": "First Bank"}]
    assert document("service", "withdraw", "tokens", issuer, "--reason", "tested")["granted"] is False
    assert document("service", "list") == [added]


def test_a_service_can_need_both_flows(document: Document) -> None:
    assert document(*ADD, "--needs", "inbound", "--needs", "outbound")["needs"] == ["inbound", "outbound"]


def test_all_options_come_back(document: Document, in_hub: Run, make_ca: Callable[..., Any], tmp_path: Path) -> None:
    ca = make_ca("Service CA")[1]
    (tmp_path / "ca.pem").write_text(certificate_pem(ca))
    trusted = ("--upstream", "https://tokens.internal:8443", "--upstream-ca", str(tmp_path / "ca.pem"))
    limits = ("--timeout", "30", "--streaming", "600", "--health-path", "/health")
    flags = ("--http2", "--strip-prefix", "--no-client-cert")
    added = document("service", "add", "tokens", "--prefix", "/tokens", *trusted, *limits, *flags)
    assert added["upstream_ca"] == [fingerprint(ca)]
    assert (added["timeout"], added["streaming"], added["health_path"]) == (30, 600, "/health")
    assert added["http2"] is added["strip_prefix"] is True
    assert added["client_cert"] is False
    added.pop("in_force")
    assert document("service", "list") == [added]
    shown = in_hub("service", "list").stdout
    assert "http2 timeout=30s streaming=600s health=/health strip-prefix no-client-cert" in shown


def test_a_ca_file_that_is_none_is_refused_with_the_reason(in_hub: Run, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    upstream = ("--upstream", "https://tokens.internal:8443", "--upstream-ca", str(tmp_path / "ca.pem"))
    done = in_hub("service", "add", "tokens", "--prefix", "/tokens", *upstream)
    assert done.returncode == 1
    assert "CHAIN-FILE" in done.stderr or "CSR-FILE" in done.stderr
    missing = in_hub("service", "add", "tokens", "--prefix", "/tokens", *upstream[:3], str(tmp_path / "no.pem"))
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "the CA bundle" in missing.stderr


def test_people_are_told_where_it_stands_and_what_is_next(in_hub: Run) -> None:
    done = in_hub(*ADD)
    assert done.stdout.startswith("tokens stands at https://api.ppr.hub.localhost:")
    assert "bothways service grant tokens TSPID" in done.stderr
    assert "tokens   /tokens  http://127.0.0.1:9000" in in_hub("service", "list").stdout


def test_bad_values_are_refused_with_all_findings(in_hub: Run, document: Document) -> None:
    done = in_hub(
        "service", "add", "Tokens!", "--prefix", "tokens", "--upstream", "https://x", "--timeout", "0", "--json"
    )
    assert done.returncode == 1
    found = [each["id"] for each in json.loads(done.stdout)["findings"]]
    assert found == ["SERVICE-01", "SERVICE-02", "SERVICE-05", "SERVICE-07"]
    assert document("service", "list") == []


def test_a_name_is_taken_once(in_hub: Run) -> None:
    in_hub(*ADD)
    done = in_hub(*ADD)
    assert (done.returncode, done.stdout) == (2, "")
    assert "exists already" in done.stderr


@pytest.mark.parametrize("command", ["grant", "withdraw"])
@pytest.mark.parametrize("names", [("vault", "12345678"), ("tokens", "999")])
def test_an_unknown_service_or_customer_is_said(in_hub: Run, issuer: str, command: str, names: tuple[str, str]) -> None:
    assert issuer == "12345678"
    in_hub(*ADD)
    done = in_hub("service", command, *names, *(("--reason", "tested") if command == "withdraw" else ()))
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


def test_what_was_not_granted_cannot_be_withdrawn(in_hub: Run, issuer: str) -> None:
    in_hub(*ADD)
    done = in_hub("service", "withdraw", "tokens", issuer, "--reason", "tested")
    assert (done.returncode, done.stdout) == (2, "")
    assert "was not granted" in done.stderr
