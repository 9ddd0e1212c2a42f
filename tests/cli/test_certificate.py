import json
from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


@pytest.fixture
def serial(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> str:
    """The serial number of the issuer's certificate."""
    return approve_request(hub, submit_request(hub, issuer, make_csr()).id).serial


def test_certificates_are_listed_for_all_customers_or_for_one(in_hub: Run, document: Document, serial: str) -> None:
    assert [(each["serial"], each["state"]) for each in document("certificate", "list")] == [(serial, "issued")]
    assert document("certificate", "list", "--customer", "12345678") == document("certificate", "list")
    assert document("certificate", "list", "--customer", "999") == []
    assert serial in in_hub("certificate", "list").stdout


def test_show_prints_the_chain_and_nothing_else(in_hub: Run, document: Document, serial: str) -> None:
    chain = document("certificate", "show", serial)["chain"]
    done = in_hub("certificate", "show", serial)
    assert done.stdout.strip() == chain.strip()
    assert chain.count("-----BEGIN CERTIFICATE-----") == 2
    assert done.stderr == ""


def test_a_certificate_is_revoked_once(in_hub: Run, document: Document, serial: str) -> None:
    revoked = document("certificate", "revoke", serial, "--reason", "keyCompromise")
    assert (revoked["state"], revoked["revoked_reason"]) == ("revoked", "keyCompromise")
    again = in_hub("certificate", "revoke", serial, "--json")
    assert again.returncode == 2
    assert json.loads(again.stdout)["error"] == "conflict"
    assert document("certificate", "show", serial)["revoked_at"] == revoked["revoked_at"]


def test_a_reason_that_rfc_5280_does_not_know_revokes_nothing(in_hub: Run, document: Document, serial: str) -> None:
    done = in_hub("certificate", "revoke", serial, "--reason", "whim")
    assert (done.returncode, done.stdout) == (2, "")
    assert "superseded" in done.stderr
    assert document("certificate", "show", serial)["state"] == "issued"


@pytest.mark.parametrize("command", ["show", "revoke"])
@pytest.mark.parametrize("unknown", ["abcdef", "not hex", ""])
def test_an_unknown_serial_number_is_said(in_hub: Run, command: str, unknown: str) -> None:
    done = in_hub("certificate", command, unknown)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
