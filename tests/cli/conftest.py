"""The command line as its users have it: run in this process, or as one of its own, and what it left behind."""

import json
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.cli.main import main
from bothways.contract.render import render_contract
from bothways.operations.hub import Hub, contract

SUBJECT = ("--country", "FR", "--state", "IDF", "--locality", "Paris", "--organization", "First Bank", "--unit", "Pay")
Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def bothways(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a runner of the command line, exactly as `python -m bothways` runs it, but in this process."""

    def run(*arguments: object) -> CompletedProcess[str]:
        argv = ["bothways", *(str(each) for each in arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return CompletedProcess(argv, int(str(ended.value.code)), out, err)

    return run


@pytest.fixture
def in_hub(bothways: Run, hub: Hub) -> Run:
    """Return a runner of commands in the test's hub."""
    return lambda *arguments: bothways(*arguments, "--directory", hub.directory)


@pytest.fixture
def document(in_hub: Run) -> Callable[..., Any]:
    """Return a runner of commands in the test's hub that must succeed; it returns their one JSON document."""

    def run(*arguments: object, code: int = 0) -> Any:
        done = in_hub(*arguments, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def ended() -> Callable[[int, float], bool]:
    """Return a waiter for the end of a process, at most so many seconds; it tells whether the process has ended."""

    def wait(pid: int, seconds: float) -> bool:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], seconds)[0])
        finally:
            os.close(descriptor)

    return wait


@pytest.fixture
def contract_file(hub: Hub, tmp_path: Path) -> Path:
    path = tmp_path / "published.toml"
    path.write_text(render_contract(contract(hub)))
    return path


@pytest.fixture
def in_spoke(bothways: Run, contract_file: Path, issuer: str, tmp_path: Path) -> Run:
    """Return a runner of spoke commands in a spoke that was made for the issuer."""
    directory = ("--directory", tmp_path / "spoke")
    assert bothways("spoke", "init", "--contract", contract_file, "--customer", issuer, *directory).returncode == 0
    return lambda *arguments: bothways("spoke", *arguments, *directory)


@pytest.fixture
def ready(in_spoke: Run, in_hub: Run, issuer: str, tmp_path: Path) -> Run:
    """The same, with the issued certificate installed."""
    assert in_spoke("csr", *SUBJECT).returncode == 0
    assert in_hub("request", "submit", issuer, tmp_path / "spoke" / "tls.csr").returncode == 0
    assert in_hub("request", "approve", 1, "--out", tmp_path / "issued.crt").returncode == 0
    assert in_spoke("install", tmp_path / "issued.crt").returncode == 0
    return in_spoke
