"""kill -9 at every point at which an operation writes, and at any time: nothing is lost, doubled or left half-done."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.crash.outbound import CA_FILE, CA_KEY_FILE
from tests.postgresql import on_postgresql
from tests.vectors.shape import good_rsa

from bothways.operations.certificates import certificate_seen
from bothways.operations.contacts import add_contact
from bothways.operations.hub import Hub
from bothways.operations.renewal import renews
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.upkeep import upkeep
from bothways.registry.contact import ContactKind

ROOT = Path(__file__).parent.parent.parent
DRIVER = [sys.executable, "-m", "tests.crash.driver"]
PREPARED = 8
# PostgreSQL has more points, and takes longer for each copy of a database.
SECONDS = 290 if on_postgresql() else 110
pytestmark = pytest.mark.timeout(SECONDS + 10)
SUBMITTED = 5


def driver(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*DRIVER, *(str(each) for each in arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS)


@pytest.fixture
def template(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], make_ca: Callable[..., tuple[Any, x509.Certificate]]
) -> Path:
    """A hub with two certificates, one renewed by the other, which is in use; three requests wait, others will come.

    Beside it are the private key of the first certificate, two requests whose RSA keys have a prime in common, and a
    bank's CA.
    """
    ca_key, ca = make_ca("Bank")
    (hub.directory / CA_KEY_FILE).write_bytes(ca_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (hub.directory / CA_FILE).write_bytes(ca.public_bytes(Encoding.PEM))
    (hub.directory / "csr").mkdir()
    disclosed = ec.generate_private_key(ec.SECP256R1())
    private = disclosed.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (hub.directory / "disclosed.pem").write_bytes(private)
    for number in range(PREPARED):
        (hub.directory / "csr" / f"{number}.csr").write_bytes(make_csr(None if number else disclosed))
    for name in ("shared", "sharing"):
        (hub.directory / f"{name}.csr").write_bytes(good_rsa(name))
    numbers = [
        submit_request(hub, issuer, (hub.directory / "csr" / f"{number}.csr").read_bytes()).id
        for number in range(SUBMITTED)
    ]
    old, new = (approve_request(hub, number) for number in numbers[:2])
    renews(hub, numbers[1], old.serial)
    certificate_seen(hub, new.fingerprint or "")
    for tsp_id in (issuer, None):
        add_contact(hub, tsp_id, ContactKind.EMAIL, "pki@bank.example")
    # So that what a test does is all that there is to do.
    assert upkeep(hub).problems == ()
    return hub.directory


# The least number of points: a writing statement has one, a commit and a signature two; fewer were not all seen.
@pytest.mark.parametrize(
    ("operation", "least", "least_of_recovery"),
    [
        ("submit", 10, 0),
        ("approve", 12, 6),
        ("approve_many", 26, 14),
        pytest.param("refuse", 5, 0, marks=pytest.mark.soak),
        ("revoke", 7, 7),
        pytest.param("publish", 14, 7, marks=pytest.mark.soak),
        ("withdraw", 18, 13),
        pytest.param("replace_old", 5, 7, marks=pytest.mark.soak),
        pytest.param("tell", 6, 0, marks=pytest.mark.soak),
        ("disclose", 7, 7),
        pytest.param("share", 18, 0, marks=pytest.mark.soak),
        pytest.param("roll_over", 26, 7, marks=pytest.mark.soak),
        pytest.param("move", 36, 0, marks=pytest.mark.soak),
        pytest.param("vouch", 14, 0, marks=pytest.mark.soak),
        pytest.param("own", 26, 0, marks=pytest.mark.soak),
    ],
)
def test_killed_at_any_point_an_operation_is_done_whole_or_not_at_all(
    template: Path, operation: str, least: int, least_of_recovery: int
) -> None:
    done = driver("points", template, operation)
    assert done.returncode == 0, done.stderr
    points, recoveries = (int(each) for each in done.stdout.split())
    assert points >= least
    assert recoveries >= least_of_recovery


@pytest.fixture
def start(template: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Return a starter of processes that do operations on one hub until they are killed."""
    started: list[subprocess.Popen[bytes]] = []

    def one() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*DRIVER, "loop", str(template)], cwd=ROOT)
        started.append(process)
        return process

    yield one
    for each in started:
        each.kill()
        each.wait()


def test_killed_at_any_time_two_at_once_leave_a_whole_hub(
    template: Path, start: Callable[[], subprocess.Popen[bytes]]
) -> None:
    chance = random.Random(time.time_ns())  # noqa: S311 - nothing secret
    for _ in range(3):
        pair = start(), start()
        before = progress(template)
        while progress(template) == before and all(process.poll() is None for process in pair):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.3))
        for process in pair:
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        done = driver("check", template)
        assert done.returncode == 0, done.stderr


def progress(directory: Path) -> int:
    place = directory / "acknowledged"
    return place.stat().st_size if place.exists() else 0
