"""A spoke of a real hub at each stage: the contract as a file, a spoke made from it, one with its certificate."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.contract.subject import Subject
from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub, contract
from bothways.operations.requests import approve_request, submit_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke, init_spoke
from bothways.spoke.install import install_certificate


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
