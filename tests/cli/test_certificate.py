import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography import x509
from tests.stored_keys import lose_key

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


def test_the_revocation_list_is_printed_up_to_date_and_saved_in_der(
    in_hub: Run, document: Document, serial: str, tmp_path: Path
) -> None:
    document("certificate", "revoke", serial, "--reason", "privilegeWithdrawn")
    found = document("certificate", "crl")
    (entry,) = x509.load_pem_x509_crl(found["crl"].encode())
    assert f"{entry.serial_number:x}" == serial
    assert in_hub("certificate", "crl").stdout.strip() == found["crl"].strip()
    done = in_hub("certificate", "crl", "--out", tmp_path / "1.crl")
    assert done.returncode == 0
    assert x509.load_der_x509_crl((tmp_path / "1.crl").read_bytes()) == x509.load_pem_x509_crl(found["crl"].encode())
    assert document("certificate", "crl", "--authority", 9, code=2)["error"] == "notfound"


def test_a_list_that_cannot_be_brought_up_to_date_is_printed_as_it_is_and_said(
    in_hub: Run, document: Document, serial: str, hub: Hub
) -> None:
    found = document("certificate", "crl")
    document("certificate", "revoke", serial)
    lose_key(hub)
    done = in_hub("certificate", "crl")
    assert (done.returncode, done.stdout.strip()) == (0, found["crl"].strip())
    assert "the revocation list of the CA 1 is not published" in done.stderr
