"""A hub brings a second Client CA and server CA while it runs: its spokes are told, take the contract, put it back."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import running
from tests.forked import run_forked

from bothways.cli.opening import control
from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.operations.authorities import add_client_authority, add_server_authority
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.server_rollover import activate_authority, list_behind
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke, open_spoke
from bothways.spoke.install import install_certificate
from bothways.store.contracts import Way, last_taken

pytestmark = pytest.mark.envoy

PAGE = Path(__file__).parent.parent.parent / "docs" / "contract.md"


@pytest.fixture
def spoke(hub: Hub, issuer: str, tmp_path: Path) -> Iterator[Spoke]:
    """A spoke in `bank` with its certificate, of a hub that runs."""
    (tmp_path / "contract.toml").write_text(render_contract(contract(hub)))
    made = init_spoke(tmp_path / "bank", str(tmp_path / "contract.toml"), issuer)
    asked = make_request(made, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments"))
    record = approve_request(hub, submit_request(hub, issuer, asked.der).id)
    install_certificate(made, certificate_chain(hub, record).encode())
    with running(hub):
        yield made


def checked(spoke: Spoke) -> list[str]:
    done = run_forked("spoke", "check", "--json", "--directory", spoke.directory)
    return [each["id"] for each in json.loads(done.stdout)["findings"]]


def test_a_newer_contract_is_told_taken_over_mutual_tls_and_put_back(hub: Hub, spoke: Spoke, tmp_path: Path) -> None:
    assert "CHECK-CONTRACT-01" not in checked(spoke)
    add_client_authority(hub)
    # The endpoint changes over at once: whoever has the contract of before still believes it.
    added = add_server_authority(hub)
    activate_authority(hub, added.id, "tested")
    control(hub, "POST", "/apply")
    latest = contract(hub)
    assert "CHECK-CONTRACT-01" in checked(spoke)
    command = [sys.executable, "-m", "bothways", "spoke", "renew", "--daemon", "--directory", str(spoke.directory)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        said = daemon.stderr.readline()
        daemon.terminate()
    assert "The hub has a newer contract (SHA-256 " in said
    assert f"bothways spoke contract --from-hub --directory {spoke.directory}" in said
    [block] = [each for each in re.findall(r"```sh[^\n]*\n(.*?)```", PAGE.read_text(), re.DOTALL) if "from-hub" in each]
    dry, take, back = (shlex.split(line)[1:] for line in block.splitlines())
    assert run_forked(*dry, place=tmp_path).returncode == 0
    assert open_spoke(spoke.directory).contract == spoke.contract
    # A look is not enough.
    assert [each["customer"] for each in list_behind(hub, added.id)] == [spoke.tsp_id]
    done = run_forked(*take, place=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"trust.client_ca", "trust.server_ca"} <= set(done.stdout.split())
    assert list_behind(hub, added.id) == []
    with hub.read() as connection:
        taken = last_taken(connection, spoke.tsp_id)
    assert taken is not None
    assert taken.way is Way.IN_FORCE
    assert open_spoke(spoke.directory).contract == latest
    assert (spoke.directory / "client-ca.crt").read_text() == latest.trust.client_ca
    assert (spoke.directory / "ca.crt").read_text() == latest.trust.server_ca
    assert "CHECK-CONTRACT-01" not in checked(spoke)
    assert run_forked(*back, place=tmp_path).returncode == 0
    assert open_spoke(spoke.directory).contract == spoke.contract
