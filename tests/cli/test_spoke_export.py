import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from tests.wire.conftest import World

from bothways import files
from bothways.operations.hub import Hub

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def in_spoke(bothways: Run, hub: Hub, issuer: str, tmp_path: Path) -> Run:
    spoke, _ = World(hub, tmp_path).certified(issuer)
    files.write_new(spoke.directory / "spoke.toml", f'customer = "{issuer}"\n'.encode())
    for name, pem in (("ca.crt", spoke.contract.trust.server_ca), ("client-ca.crt", spoke.contract.trust.client_ca)):
        files.write_new(spoke.directory / name, pem.encode())
    return lambda *arguments: bothways("spoke", "export", *arguments, "--directory", spoke.directory)


def test_a_file_is_ours_alone_and_replaced_only_when_asked(in_spoke: Run, tmp_path: Path) -> None:
    files.write_new(tmp_path / "password", b"secret\n", files.PRIVATE)
    arguments = ("--p12", tmp_path / "tls.p12", "--password-file", tmp_path / "password")
    umask = os.umask(0)
    try:
        assert in_spoke(*arguments).returncode == 0
    finally:
        os.umask(umask)
    assert (tmp_path / "tls.p12").stat().st_mode & 0o777 == 0o600
    assert load_pkcs12((tmp_path / "tls.p12").read_bytes(), b"secret").key is not None
    first = (tmp_path / "tls.p12").read_bytes()
    again = in_spoke(*arguments)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    assert (tmp_path / "tls.p12").read_bytes() == first
    assert in_spoke(*arguments, "--replace", "--legacy").returncode == 0
    assert (tmp_path / "tls.p12").read_bytes() != first


def test_the_password_comes_from_the_environment_or_a_terminal_and_never_from_nowhere(
    in_spoke: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = in_spoke("--p12", tmp_path / "a.p12")
    assert (done.returncode, "no terminal" in done.stderr) == (2, True)
    monkeypatch.setenv("BOTHWAYS_P12_PASSWORD", "from the environment")
    assert in_spoke("--p12", tmp_path / "a.p12").returncode == 0
    assert load_pkcs12((tmp_path / "a.p12").read_bytes(), b"from the environment").key is not None
    monkeypatch.setenv("BOTHWAYS_P12_PASSWORD", "")
    assert in_spoke("--p12", tmp_path / "b.p12").returncode == 2


def test_a_password_that_others_can_read_is_refused(in_spoke: Run, tmp_path: Path) -> None:
    files.write_new(tmp_path / "password", b"secret\n", 0o644)
    done = in_spoke("--p12", tmp_path / "tls.p12", "--password-file", tmp_path / "password")
    assert (done.returncode, "chmod 600" in done.stderr) == (2, True)
    assert not (tmp_path / "tls.p12").exists()


@pytest.mark.parametrize("arguments", [(), ("--jks", "--kubernetes", "a"), ("--kubernetes", "Bank")])
def test_one_form_is_named(in_spoke: Run, arguments: tuple[str, ...]) -> None:
    done = in_spoke(*arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_what_is_printed_can_be_piped(in_spoke: Run) -> None:
    done = in_spoke("--kubernetes", "bank-prd")
    assert done.stdout.startswith("apiVersion: v1\n")
    assert "private key" in done.stderr
    assert "keytool" in json.loads(in_spoke("--jks", "--json").stdout)["commands"]
