"""The whole exchange by files, as the two people at their command lines have it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]
SUBJECT = ["--country", "FR", "--state", "X", "--locality", "Paris", "--organization", "First Bank", "--unit", "Pay"]


@pytest.fixture
def files(
    document: Document, bothways: Run, issuer: str, tmp_path: Path, make_ca: Callable[..., tuple[Any, x509.Certificate]]
) -> Path:
    """A directory with what the hub sent, the spoke that was made of it, and its answer."""
    sent = document("bundle", "export", issuer, "--out", tmp_path / "hub.zip")
    spoke, chain = tmp_path / "spoke", tmp_path / "chain.pem"
    chain.write_bytes(make_ca("bank CA")[1].public_bytes(Encoding.PEM))
    for arguments in (
        ["init", "--bundle", tmp_path / "hub.zip", "--fingerprint", sent["fingerprint"]],
        ["csr", *SUBJECT],
        ["bundle", "export", tmp_path / "answer.zip", "--chain", chain, "--endpoint", "https://bank.example.com"],
    ):
        done = bothways("spoke", *arguments, "--directory", spoke)
        assert done.returncode == 0, done.stderr
    return tmp_path


def test_both_sides_print_the_same_fingerprints(in_hub: Run, bothways: Run, files: Path) -> None:
    done = in_hub("bundle", "import", files / "answer.zip", "--json")
    taken = json.loads(done.stdout)
    assert done.returncode == 0
    assert "bothways chain endorse 1" in done.stderr
    assert "bothways endpoint approve 1" in done.stderr
    again = bothways("spoke", "bundle", "export", files / "a.zip", "--directory", files / "spoke", "--json")
    assert json.loads(again.stdout)["signer"] == taken["signer"]
    assert (taken["request"]["state"], taken["chain"], taken["endpoint"]) == (
        "submitted",
        1,
        "https://bank.example.com",
    )


def test_the_certificate_comes_back(in_hub: Run, bothways: Run, document: Document, files: Path, issuer: str) -> None:
    number = document("bundle", "import", files / "answer.zip")["request"]["id"]
    assert in_hub("request", "approve", number).returncode == 0
    document("bundle", "export", issuer, "--out", files / "hub.zip")
    done = bothways("spoke", "bundle", "import", files / "hub.zip", "--directory", files / "spoke")
    assert done.returncode == 0
    assert "is installed." in done.stdout
    assert (files / "spoke" / "tls.crt").exists()


def test_a_replay_is_2_and_a_tampered_file_is_1(in_hub: Run, files: Path) -> None:
    data = (files / "answer.zip").read_bytes()
    (files / "bad.zip").write_bytes(data.replace(b"tls.csr", b"tls.csx"))
    bad = in_hub("bundle", "import", files / "bad.zip")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr.startswith("BUNDLE-02: its member 'tls.csx' does not belong into it")
    assert in_hub("bundle", "import", files / "answer.zip").returncode == 0
    replayed = in_hub("bundle", "import", files / "answer.zip")
    assert replayed.returncode == 2
    assert "by this very file" in replayed.stderr


def test_an_export_is_named_after_customer_and_environment(
    document: Document, issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert document("bundle", "export", issuer)["file"] == f"hub-{issuer}-PPR.zip"
    assert (tmp_path / f"hub-{issuer}-PPR.zip").stat().st_mode & 0o777 == 0o644
