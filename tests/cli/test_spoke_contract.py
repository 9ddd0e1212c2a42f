"""`spoke contract` from a file: what it says and how it exits; from a hub that runs, in tests/wire/test_contract.py."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bothways.contract.parse import parse_contract
from bothways.contract.render import render_contract
from bothways.pki.keys import sha256
from bothways.spoke.directory import Spoke, init_spoke

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def spoke(contract_file: Path, issuer: str, tmp_path: Path) -> Spoke:
    return init_spoke(tmp_path / "bank", str(contract_file), issuer)


@pytest.fixture
def newer(contract_file: Path, tmp_path: Path) -> Path:
    now = parse_contract(contract_file.read_text())
    terms = replace(now.terms, certificate=replace(now.terms.certificate, validity_days=90))
    path = tmp_path / "newer.toml"
    path.write_text(render_contract(replace(now, terms=terms)))
    return path


def test_what_changes_is_shown_and_taken_and_put_back(bothways: Run, spoke: Spoke, newer: Path) -> None:
    here = ("--directory", spoke.directory, "--json")
    dry = json.loads(bothways("spoke", "contract", newer, "--dry-run", *here).stdout)
    assert (dry["outcome"], dry["previous"]) == ("would change", None)
    done = bothways("spoke", "contract", newer, *here)
    document = json.loads(done.stdout)
    assert (done.returncode, document["outcome"]) == (0, "changed")
    assert document["fingerprint"] == sha256(newer.read_bytes())
    assert document["changes"] == dry["changes"]
    [change] = document["changes"]
    assert (change["setting"], change["before"], change["after"]) == ("certificate.validity_days", "397", "90")
    assert f"Next: bothways spoke check --directory {spoke.directory}" in done.stderr
    assert json.loads(bothways("spoke", "contract", newer, *here).stdout)["outcome"] == "same"
    undone = json.loads(bothways("spoke", "contract", "--undo", *here).stdout)
    assert (undone["outcome"], undone["changes"][0]["after"]) == ("put back", "397")


def test_another_fingerprint_than_was_read_out_is_refused(bothways: Run, spoke: Spoke, newer: Path) -> None:
    done = bothways("spoke", "contract", newer, "--fingerprint", "0" * 64, "--directory", spoke.directory)
    assert done.returncode == 1
    assert "CONTRACT-PIN" in done.stderr
    good = sha256(newer.read_bytes())
    assert bothways("spoke", "contract", newer, "--fingerprint", good, "--directory", spoke.directory).returncode == 0


@pytest.mark.parametrize("given", [(), ("file", "--from-hub"), ("--undo", "--dry-run"), ("--undo", "--from-hub")])
def test_one_source_is_to_be_named(bothways: Run, spoke: Spoke, given: tuple[str, ...]) -> None:
    done = bothways("spoke", "contract", *given, "--directory", spoke.directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert "name one of these" in done.stderr


def test_without_a_certificate_the_hub_cannot_be_asked(bothways: Run, spoke: Spoke) -> None:
    done = bothways("spoke", "contract", "--from-hub", "--directory", spoke.directory)
    assert done.returncode == 2
    assert "tls.key is missing" in done.stderr
