import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import certifi
import pytest

from bothways.demo.customer_ca import make_server_files

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


@pytest.fixture
def chain_file(tmp_path: Path) -> Path:
    return make_server_files(tmp_path, "First Bank", "callbacks.bank.example").chain


@pytest.fixture
def submitted(document: Document, issuer: str, chain_file: Path) -> int:
    """The number of the issuer's chain, which waits for review."""
    number = document("chain", "submit", issuer, chain_file)["id"]
    assert isinstance(number, int)
    return number


def test_a_chain_is_submitted_shown_and_listed(in_hub: Run, document: Document, submitted: int) -> None:
    shown = document("chain", "show", submitted)
    assert (shown["state"], shown["customer"]) == ("submitted", "12345678")
    assert shown["pem"].count("-----BEGIN CERTIFICATE-----") == 2
    assert shown["pem"] in in_hub("chain", "show", submitted).stdout
    assert [each["id"] for each in document("chain", "list", "--customer", "12345678")] == [submitted]
    assert document("chain", "list", "--customer", "999") == []
    assert shown["fingerprint"][:16] in in_hub("chain", "list").stdout


def test_people_are_told_the_fingerprint_and_what_is_next(in_hub: Run, issuer: str, chain_file: Path) -> None:
    done = in_hub("chain", "submit", issuer, chain_file)
    assert "fingerprint of its root" in done.stdout
    assert "bothways chain endorse 1" in done.stderr


def test_what_was_understood_is_shown_as_a_tree_before_anybody_decides(
    in_hub: Run, document: Document, issuer: str, chain_file: Path
) -> None:
    done = in_hub("chain", "submit", issuer, chain_file)
    assert "CN=First Bank Root (root)\n" in done.stdout
    assert "└─ CN=First Bank TLS (intermediate)\n" in done.stdout
    assert "key          ECDSA P-256, signed with sha256" in in_hub("chain", "show", 1).stdout
    shown = document("chain", "show", 1)
    assert shown["fingerprint"] == shown["tree"]["fingerprint"]
    assert [each["subject"] for each in shown["tree"]["issued"]] == ["CN=First Bank TLS"]
    assert shown["findings"] == []


def test_a_public_root_is_warned_of_and_wants_a_word(
    in_hub: Run, document: Document, issuer: str, tmp_path: Path
) -> None:
    (tmp_path / "web.pem").write_text(
        certifi.contents().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----"
    )
    done = in_hub("chain", "submit", issuer, tmp_path / "web.pem")
    assert (done.returncode, "CHAIN-PUBLIC-01" in done.stderr) == (0, True)
    assert [each["id"] for each in document("chain", "endorse", 1, code=1)["findings"]] == ["CHAIN-PUBLIC-01"]
    pins = [":".join(["AB"] * 32), "cd" * 32]
    endorsed = document("chain", "endorse", 1, "--public-root", "--pin", pins[0], "--pin", pins[1])
    assert (endorsed["state"], endorsed["spki_pins"]) == ("endorsed", ["ab" * 32, "cd" * 32])
    assert f"pin          {'ab' * 32}" in in_hub("chain", "show", 1).stdout


def test_a_chain_is_endorsed_and_withdrawn(in_hub: Run, document: Document, submitted: int) -> None:
    assert document("chain", "endorse", submitted)["state"] == "endorsed"
    withdrawn = document("chain", "withdraw", submitted, "--reason", "new root")
    assert (withdrawn["state"], withdrawn["reason"]) == ("withdrawn", "new root")
    again = in_hub("chain", "endorse", submitted)
    assert (again.returncode, again.stdout) == (2, "")
    assert "is withdrawn, not submitted" in again.stderr


def test_a_chain_is_refused_with_a_reason(document: Document, submitted: int) -> None:
    refused = document("chain", "refuse", submitted, "--reason", "another fingerprint by phone")
    assert (refused["state"], refused["reason"]) == ("refused", "another fingerprint by phone")


def test_a_decision_needs_a_reason(in_hub: Run, document: Document, submitted: int) -> None:
    done = in_hub("chain", "refuse", submitted)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--reason" in done.stderr
    assert document("chain", "show", submitted)["state"] == "submitted"


@pytest.mark.parametrize(
    ("content", "code"), [(None, 2), (b"", 1), (b"-----BEGIN RSA PRIVATE KEY-----", 1), (b"x" * 65537, 2)]
)
def test_a_file_that_is_no_chain_is_said_and_not_stored(
    in_hub: Run, document: Document, issuer: str, tmp_path: Path, content: bytes | None, code: int
) -> None:
    if content is not None:
        (tmp_path / "file.pem").write_bytes(content)
    done = in_hub("chain", "submit", issuer, tmp_path / "file.pem")
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1
    assert document("chain", "list") == []


def test_a_leaf_is_no_chain(in_hub: Run, issuer: str, chain_file: Path) -> None:
    done = in_hub("chain", "submit", issuer, chain_file.with_name("server.crt"), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"]


@pytest.mark.parametrize(
    "command", [("show",), ("endorse",), ("refuse", "--reason", "x"), ("withdraw", "--reason", "x")], ids=lambda c: c[0]
)
def test_an_unknown_number_is_said(in_hub: Run, command: tuple[str, ...]) -> None:
    done = in_hub("chain", command[0], 99, *command[1:])
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
