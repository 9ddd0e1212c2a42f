from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


@pytest.fixture
def sent(document: Document, issuer: str, tmp_path: Path) -> Path:
    document("bundle", "export", issuer, "--out", tmp_path / "hub.zip")
    return tmp_path / "hub.zip"


def test_without_a_fingerprint_one_is_told_to_compare(bothways: Run, sent: Path, tmp_path: Path) -> None:
    done = bothways("spoke", "init", "--bundle", sent, "--directory", tmp_path / "s")
    assert done.returncode == 0
    assert "NOT compared yet." in done.stderr


@pytest.mark.parametrize("more", [["--customer", "1"], ["--contract", "x", "--customer", "1"]])
def test_a_bundle_says_who_the_customer_is(bothways: Run, sent: Path, tmp_path: Path, more: list[str]) -> None:
    done = bothways("spoke", "init", "--bundle", sent, *more, "--directory", tmp_path / "s")
    assert (done.returncode, (tmp_path / "s").exists()) == (2, False)
    assert "--bundle alone" in done.stderr


def test_the_hubs_request_for_the_customers_ca_is_told(
    bothways: Run, in_hub: Run, sent: Path, tmp_path: Path, issuer: str
) -> None:
    assert bothways("spoke", "init", "--bundle", sent, "--directory", tmp_path / "s").returncode == 0
    assert in_hub("outbound", "csr", issuer).returncode == 0
    assert in_hub("bundle", "export", issuer, "--out", sent).returncode == 0
    done = bothways("spoke", "bundle", "import", sent, "--directory", tmp_path / "s")
    assert done.returncode == 0
    assert "hub-client.csr is a request of the hub. Have your CA sign it" in done.stderr


def test_an_answer_overwrites_nothing(bothways: Run, sent: Path, tmp_path: Path) -> None:
    bothways("spoke", "init", "--bundle", sent, "--directory", tmp_path / "s")
    subject = ["--country", "FR", "--state", "X", "--locality", "P", "--organization", "First Bank", "--unit", "U"]
    assert bothways("spoke", "csr", *subject, "--directory", tmp_path / "s").returncode == 0
    (tmp_path / "a.zip").write_bytes(b"mine")
    assert bothways("spoke", "bundle", "export", tmp_path / "a.zip", "--directory", tmp_path / "s").returncode == 2
    assert (tmp_path / "a.zip").read_bytes() == b"mine"
