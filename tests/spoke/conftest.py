"""A spoke of a real hub at each stage: the contract as a file, a spoke made from it, one with its certificate."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.dns_server import DnsServer
from tests.spoke.hubs import Hubs, two_hubs

from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate
from bothways.xds import bootstrap as _bootstrap  # noqa: F401 - with the next, each message that our JSON names is known
from bothways.xds import snapshot as _snapshot  # noqa: F401


@pytest.fixture
def subject() -> Subject:
    return Subject("FR", "Ile-de-France", "Paris", "First Bank", "Payments")


@pytest.fixture
def contract_file(hub: Hub, tmp_path: Path) -> Path:
    """The hub's contract, as it is published."""
    path = tmp_path / "published.toml"
    path.write_text(render_contract(contract(hub)))
    return path


@pytest.fixture
def spoke(contract_file: Path, issuer: str, tmp_path: Path) -> Spoke:
    """The issuer's spoke, with nothing but the contract."""
    return init_spoke(tmp_path / "spoke", str(contract_file), issuer)


@pytest.fixture
def certified(hub: Hub, subject: Subject) -> Callable[[Spoke], bytes]:
    """Return a maker of the certificate that the hub issues for a new request of a spoke, in PEM with its issuer."""

    def make(spoke: Spoke) -> bytes:
        request = make_request(spoke, KeyType.ECDSA, subject)
        stored = submit_request(hub, spoke.tsp_id, request.pem.encode())
        return certificate_chain(hub, approve_request(hub, stored.id)).encode()

    return make


@pytest.fixture
def ready_spoke(spoke: Spoke, certified: Callable[[Spoke], bytes]) -> Spoke:
    """The issuer's spoke with its certificate."""
    install_certificate(spoke, certified(spoke))
    return spoke


@pytest.fixture
def renewed(hub: Hub) -> Callable[[Spoke], bytes]:
    """Return a maker of the certificate for the request that is under way in a spoke, in PEM with its issuer."""

    def make(spoke: Spoke) -> bytes:
        stored = submit_request(hub, spoke.tsp_id, (spoke.pending / "tls.csr").read_bytes())
        return certificate_chain(hub, approve_request(hub, stored.id)).encode()

    return make


@pytest.fixture
def killed_at() -> Callable[[int, Callable[[], object]], bool]:
    """Return a runner of an action in a child process that is killed (SIGKILL) at the n-th change of a file.

    It tells whether the child was killed; if not, the action did less than n changes, and went to its end.
    """
    changes = {"os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}

    def run(place: int, action: Callable[[], object]) -> bool:
        child = os.fork()
        if child == 0:
            left = place

            def count(event: str, arguments: tuple[object, ...]) -> None:
                nonlocal left
                writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
                if event in changes or writes:
                    left -= 1
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)

            sys.addaudithook(count)
            try:
                action()
            except BaseException:  # noqa: BLE001 - the child must never go on as a second pytest
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
        return os.WIFSIGNALED(status)

    return run


@pytest.fixture
def hubs(ready_spoke: Spoke, dns_server: DnsServer, tmp_path: Path) -> Iterator[Hubs]:
    """Two servers of one hub, which a DNS server of our own leads to."""
    with two_hubs(ready_spoke, dns_server, tmp_path) as running:
        yield running
