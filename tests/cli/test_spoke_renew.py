"""What `spoke renew` says and how it exits without a hub that answers; with one, in tests/wire/test_renew.py."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bothways.contract.document import KeyType
from bothways.contract.subject import Subject
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.renew import certificate_in_use

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture
def spoke(hub: Hub, bothways: Run, issuer: str, tmp_path: Path) -> Spoke:
    contract = tmp_path / "contract.toml"
    contract.write_text(bothways("hub", "contract", "--directory", hub.directory).stdout)
    made = init_spoke(tmp_path / "bank", str(contract), issuer)
    request = make_request(made, KeyType.ECDSA, Subject("FR", "IDF", "Paris", "First Bank", "Payments"))
    record = approve_request(hub, submit_request(hub, issuer, request.der).id)
    install_certificate(made, certificate_chain(hub, record).encode())
    return made


@pytest.fixture
def renew(bothways: Run, spoke: Spoke) -> Run:
    return lambda *arguments: bothways("spoke", "renew", *arguments, "--directory", spoke.directory)


def test_nothing_due_is_no_failure(renew: Run) -> None:
    done = renew("--json")
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "not due")
    assert datetime.fromisoformat(json.loads(done.stdout)["due"]) > datetime.now(UTC)


def test_by_hand_the_request_is_written_and_the_next_step_printed(renew: Run, spoke: Spoke) -> None:
    done = renew("--force", "--by-hand")
    assert done.returncode == 0
    assert f"Hand {spoke.renewal / 'tls.csr'} to the hub. Then: bothways spoke install CERT" in done.stderr


def test_a_hub_that_is_away_is_a_matter_of_the_network(renew: Run) -> None:
    assert renew("--force").returncode == 3


def test_the_pair_before_is_put_back_and_forth(hub: Hub, renew: Run, spoke: Spoke) -> None:
    assert renew("--undo").returncode == 2
    before = certificate_in_use(spoke)
    assert renew("--force", "--by-hand").returncode == 0
    stored = submit_request(hub, spoke.tsp_id, (spoke.renewal / "tls.csr").read_bytes())
    install_certificate(spoke, certificate_chain(hub, approve_request(hub, stored.id)).encode())
    after = certificate_in_use(spoke)
    for wanted in (before, after):
        done = renew("--undo", "--json")
        assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "put back")
        assert certificate_in_use(spoke) == wanted


def test_units_for_systemd_are_printed_and_nothing_is_done(renew: Run, spoke: Spoke) -> None:
    units = json.loads(renew("--systemd", "--hook", "systemctl reload nginx", "--json").stdout)["units"]
    assert sorted(units) == ["bothways-renew-bank.service", "bothways-renew-bank.timer"]
    assert str(spoke.directory) in units["bothways-renew-bank.service"]
    assert not spoke.renewal.exists()
