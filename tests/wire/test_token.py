"""A spoke whose key lies in a PKCS#11 token, against a hub that runs: from the request to its renewal, and back."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.conftest import running
from tests.forked import run_forked

from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.settings import FILE, render_settings
from bothways.signer.token_uri import parse_token_uri
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import read_key

pytestmark = [pytest.mark.envoy, pytest.mark.usefixtures("pkcs11_provider")]


@pytest.fixture(params=[KeyType.ECDSA])
def spoke(hub: Hub, issuer: str, token_uri: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Spoke]:
    """A spoke whose key is in the token, with its certificate, of a hub that runs and renews without a review."""
    changed = replace(hub.settings, danger_enrolment_without_review=True)
    (hub.directory / FILE).write_text(render_settings(changed))
    (tmp_path / "contract.toml").write_text(render_contract(contract(hub)))
    made = init_spoke(tmp_path / "bank", str(tmp_path / "contract.toml"), issuer)
    subject = Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments")
    asked = make_request(made, request.param, subject, token=parse_token_uri(token_uri))
    record = approve_request(hub, submit_request(hub, issuer, asked.der).id)
    install_certificate(made, certificate_chain(hub, record).encode())
    with running(hub):
        yield made


def bothways(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return run_forked(*arguments, environment=os.environ | environment)


def label(spoke: Spoke) -> str:
    found = read_key(spoke.key_file).token
    assert found
    return found.object


@pytest.mark.parametrize("spoke", [KeyType.ECDSA, pytest.param(KeyType.RSA, marks=pytest.mark.soak)], indirect=True)
def test_the_hub_is_called_with_a_key_that_never_leaves_the_token(spoke: Spoke) -> None:
    done = bothways("spoke", "call", "GET", "/connectivity", "--directory", spoke.directory)
    assert done.returncode == 0, done.stderr
    assert f'"{spoke.tsp_id}"' in done.stdout


def test_a_renewal_has_a_new_key_in_the_token_and_is_put_back_and_forth(spoke: Spoke) -> None:
    here = ("--directory", spoke.directory)
    done = bothways("spoke", "renew", "--force", "--json", *here)
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "renewed"), done.stderr
    assert label(spoke) == "issuing-ca-2"
    assert bothways("spoke", "renew", "--undo", *here).returncode == 0
    assert label(spoke) == "issuing-ca"
    done = bothways("spoke", "call", "GET", "/connectivity", *here)
    assert done.returncode == 0, done.stderr
    # The label that the pair before has is not taken again.
    assert bothways("spoke", "renew", "--force", *here).returncode == 0
    assert label(spoke) == "issuing-ca-3"


def test_the_doctor_names_the_key_in_the_token_and_tells_what_keeps_tls_from_it(spoke: Spoke, tmp_path: Path) -> None:
    here = ("--directory", spoke.directory)
    done = bothways("spoke", "check", *here)
    assert "ECDSA P-256, issuing-ca in the token hub-" in done.stderr
    assert "ok    inbound" in done.stderr
    missing = bothways("spoke", "check", *here, OPENSSL_MODULES=str(tmp_path))
    assert missing.returncode == 1, missing.stdout + missing.stderr
    for said in ("ERROR SPOKE-TOKEN", "Install pkcs11-provider", "bothways spoke config nginx", "OpenSSL says: "):
        assert said in " ".join(missing.stdout.split())
    called = bothways("spoke", "call", "GET", "/connectivity", *here, OPENSSL_MODULES=str(tmp_path))
    assert (called.returncode, "Install pkcs11-provider" in called.stderr) == (2, True)


def test_the_sidecar_says_what_to_run_in_its_place(spoke: Spoke) -> None:
    done = bothways("spoke", "run", "--directory", spoke.directory)
    assert done.returncode == 2
    assert "Envoy (BoringSSL) reaches none" in done.stderr
    assert "bothways spoke config nginx" in done.stderr
