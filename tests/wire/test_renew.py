"""`spoke renew` against a real hub: over EST through Envoy, at once or after a review; put back; hooks and daemon."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import running
from tests.forked import run_forked

from bothways.cli.opening import control
from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.errors import Conflict, NotAuthorized
from bothways.operations.certificates import certificate_chain, revoke_certificate
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, list_requests, refuse_request, submit_request
from bothways.operations.settings import FILE, render_settings
from bothways.pki.revocation import RevocationReason
from bothways.spoke.client import call, open_client
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import put_back
from bothways.spoke.renew import Outcome, certificate_in_use, renew

pytestmark = pytest.mark.envoy
WITHOUT_REVIEW = pytest.mark.parametrize("spoke", [True], indirect=True)


@pytest.fixture
def spoke(hub: Hub, issuer: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Spoke]:
    """A spoke with its certificate, of a running hub; parametrized with True, that issues renewals without review."""
    changed = replace(hub.settings, danger_enrolment_without_review=getattr(request, "param", False))
    (hub.directory / FILE).write_text(render_settings(changed))
    (tmp_path / "contract.toml").write_text(render_contract(contract(hub)))
    made = init_spoke(tmp_path / "bank", str(tmp_path / "contract.toml"), issuer)
    asked = make_request(made, KeyType.ECDSA, Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments"))
    record = approve_request(hub, submit_request(hub, issuer, asked.der).id)
    install_certificate(made, certificate_chain(hub, record).encode())
    with running(hub):
        yield made


def status(spoke: Spoke) -> int:
    with open_client(spoke) as client:
        return call(client, "GET", "/connectivity").status


def test_a_renewal_waits_for_review_and_is_the_same_request_until_then(hub: Hub, spoke: Spoke) -> None:
    before = certificate_in_use(spoke)
    first = renew(spoke, datetime.now(UTC), force=True)
    assert (first.outcome, first.retry_seconds) == (Outcome.WAITING, 600)
    assert renew(spoke, datetime.now(UTC)).outcome is Outcome.WAITING
    assert certificate_in_use(spoke) == before
    [waiting] = [each for each in list_requests(hub) if each.state.value == "submitted"]
    approve_request(hub, waiting.id)
    control(hub, "POST", "/apply")
    done = renew(spoke, datetime.now(UTC))
    assert done.outcome is Outcome.RENEWED
    assert certificate_in_use(spoke).public_key() != before.public_key()
    assert status(spoke) == 200
    # The old one stays valid for the overlap, so it can be put back; and forth.
    put_back(spoke)
    assert certificate_in_use(spoke) == before
    assert status(spoke) == 200
    put_back(spoke)
    assert certificate_in_use(spoke) != before
    assert renew(spoke, datetime.now(UTC)).outcome is Outcome.NOT_DUE


def test_a_request_that_was_refused_says_why_and_how_to_go_on(hub: Hub, spoke: Spoke) -> None:
    renew(spoke, datetime.now(UTC), force=True)
    [waiting] = [each for each in list_requests(hub) if each.state.value == "submitted"]
    refuse_request(hub, waiting.id, "call us first")
    with pytest.raises(Conflict, match=r"call us first.* mv .*/renewal .*/renewal.refused"):
        renew(spoke, datetime.now(UTC))
    assert status(spoke) == 200


def test_a_certificate_that_was_revoked_renews_nothing(hub: Hub, spoke: Spoke) -> None:
    serial = f"{certificate_in_use(spoke).serial_number:x}"
    revoke_certificate(hub, serial, RevocationReason.PRIVILEGE_WITHDRAWN)
    control(hub, "POST", "/apply")
    with pytest.raises(NotAuthorized):
        renew(spoke, datetime.now(UTC), force=True)


@WITHOUT_REVIEW
def test_a_command_runs_after_the_installation_and_again_until_it_succeeds(spoke: Spoke, tmp_path: Path) -> None:
    arguments = ("spoke", "renew", "--directory", spoke.directory, "--json")
    flag = tmp_path / "flag"
    hook = ("--hook", f"sh -c 'test -e {flag} && basename $BOTHWAYS_DIRECTORY > {flag}'")
    assert run_forked(*arguments, *hook).returncode == 0
    failed = run_forked(*arguments, "--force", *hook)
    assert (failed.returncode, json.loads(failed.stdout)["outcome"]) == (1, "renewed")
    assert "It is run again the next time" in failed.stderr
    flag.touch()
    again = run_forked(*arguments, *hook)
    assert (again.returncode, json.loads(again.stdout)["outcome"]) == (0, "not due")
    assert flag.read_text() == "bank\n"
    flag.write_text("")
    assert run_forked(*arguments, *hook).returncode == 0
    assert flag.read_text() == ""


@WITHOUT_REVIEW
def test_a_daemon_renews_what_waits_and_ends_when_it_is_told_to(spoke: Spoke) -> None:
    before = certificate_in_use(spoke)
    renew(spoke, datetime.now(UTC), force=True, by_hand=True)
    command = [sys.executable, "-m", "bothways", "spoke", "renew", "--daemon", "--directory", str(spoke.directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert "is renewed, valid until" in daemon.stdout.readline()
        assert "nothing is due before" in daemon.stdout.readline()
        os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.wait(30) == 0
    assert certificate_in_use(spoke) != before
    assert status(spoke) == 200
