"""Many processes ask the same of one hub at the same moment: one request, one certificate, one holder of a key."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.vectors.shape import good_rsa

from bothways.errors import Refused
from bothways.operations.certificates import list_certificates
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.requests import approve_request, list_requests, submit_request
from bothways.registry.customer import CustomerKind

ROOT = Path(__file__).parent.parent.parent
AtOnce = Callable[[list[list[str]]], list[str]]


@pytest.fixture
def at_once(hub: Hub) -> AtOnce:
    """Return a runner of jobs, each in a process of its own, and a check of the whole hub after them."""

    def run(jobs: list[list[str]]) -> list[str]:
        outcomes = []
        for what, given in (("at-once", json.dumps(jobs)), ("check", "")):
            command = [sys.executable, "-m", "tests.crash.driver", what, str(hub.directory)]
            done = subprocess.run(
                command, cwd=ROOT, input=given, capture_output=True, text=True, check=False, timeout=100
            )
            assert done.returncode == 0, done.stderr
            outcomes.append(done.stdout)
        found: list[str] = json.loads(outcomes[0])
        return found

    return run


def test_fifty_identical_submissions_are_one_request(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], at_once: AtOnce, tmp_path: Path
) -> None:
    (tmp_path / "csr").write_bytes(make_csr())
    outcomes = at_once([["submit", issuer, str(tmp_path / "csr")]] * 50)
    [stored] = list_requests(hub)
    assert set(outcomes) == {str(stored.id)}


def test_a_key_that_two_customers_submit_at_once_is_one_customers(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], at_once: AtOnce, tmp_path: Path
) -> None:
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    key = ec.generate_private_key(ec.SECP256R1())
    jobs = []
    for tsp_id in (issuer, "87654321"):
        (tmp_path / tsp_id).write_bytes(make_csr(key, CN=f"TLSMA-ECDSA/{tsp_id}/PPR"))
        jobs.append(["submit", tsp_id, str(tmp_path / tsp_id)])
    outcomes = at_once(jobs * 10)
    [stored] = list_requests(hub)
    first, second = set(outcomes[0::2]), set(outcomes[1::2])
    assert {stored.tsp_id: first | second, "other": first & second} == {
        stored.tsp_id: {str(stored.id), "CSR-KEY-03"},
        "other": set(),
    }


def test_of_two_keys_with_a_prime_in_common_that_come_at_once_both_are_banned(
    hub: Hub, issuer: str, at_once: AtOnce, tmp_path: Path
) -> None:
    for name in ("shared", "sharing"):
        (tmp_path / name).write_bytes(good_rsa(name))
    outcomes = at_once([["submit", issuer, str(tmp_path / name)] for name in ("shared", "sharing") * 5])
    assert len(list_requests(hub)) <= 1
    assert {each.cause.value for each in list_banned_keys(hub)} == {"shared prime"}
    assert len(list_banned_keys(hub)) == 2
    assert "CSR-KEY-09" in outcomes
    for each in list_requests(hub):
        with pytest.raises(Refused, match="CSR-KEY-09"):
            approve_request(hub, each.id)


def test_parallel_approvals_of_one_request_are_one_certificate(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], at_once: AtOnce
) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    outcomes = at_once([["approve", str(number)]] * 20)
    [record] = list_certificates(hub)
    assert record.serial in set(outcomes) <= {record.serial, "conflict"}
