"""Steps that many tests of the operations begin with, and the look at the audit that they end with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.certificates import certificate_seen
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.pki.chain import certificate_pem
from bothways.registry.customer import CustomerKind
from bothways.store import nodes
from bothways.store.audit import first_broken
from bothways.store.certificates import StoredCertificate
from bothways.store.chains import StoredChain
from bothways.store.nodes import NodeCertificate
from bothways.store.schema import audit
from bothways.xds.state import Address

Audit = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def nodes_hub(hub: Hub) -> Hub:
    """The hub, letting remote nodes in."""
    return replace(hub, settings=replace(hub.settings, nodes_port=18000, nodes_connectivity_port=18001))


@pytest.fixture
def certify_node(nodes_hub: Hub, tmp_path: Path) -> Callable[[str], NodeCertificate]:
    """Return a maker of nodes, or of one more certificate for a node that is there."""

    def make(name: str) -> NodeCertificate:
        places = ([Address("127.0.0.1", 18000)], [Address("127.0.0.1", 18001)])
        node = bootstrap_node(nodes_hub, name, tmp_path / name, *places)
        with nodes_hub.read() as connection:
            return next(each for each in nodes.certificates(connection) if each.node_id == node.id)

    return make


@pytest.fixture
def merchant(hub: Hub) -> str:
    """The tspId of a registered merchant: another customer than `issuer`."""
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    return "87654321"


@pytest.fixture
def audited(hub: Hub) -> Audit:
    """Return a look at the audit: its lines as (action, subject), after the chain of hashes was verified."""

    def look() -> list[tuple[str, str]]:
        with hub.read() as connection:
            assert first_broken(connection) is None
            rows = connection.execute(select(audit.c.action, audit.c.subject).order_by(audit.c.sequence))
            return [(row.action, row.subject) for row in rows]

    return look


@pytest.fixture
def certify(hub: Hub, make_csr: Callable[..., bytes]) -> Callable[[str], StoredCertificate]:
    """Return a maker of issued certificates, each with a new key."""

    def make(tsp_id: str) -> StoredCertificate:
        stored = submit_request(hub, tsp_id, make_csr(CN=f"TLSMA-ECDSA/{tsp_id}/PPR"))
        return approve_request(hub, stored.id)

    return make


@pytest.fixture
def connect(hub: Hub, certify: Callable[[str], StoredCertificate]) -> Callable[[str], StoredCertificate]:
    """Return a maker of established inbound flows: a certificate that was seen at the endpoint."""

    def make(tsp_id: str) -> StoredCertificate:
        certificate = certify(tsp_id)
        return certificate_seen(hub, certificate.fingerprint or "")

    return make


@pytest.fixture
def endorse(hub: Hub, make_ca: Callable[..., tuple[object, object]]) -> Callable[[str, str], StoredChain]:
    """Return a maker of endpoints with an endorsed chain: what a probe needs."""

    def make(tsp_id: str, url: str) -> StoredChain:
        set_endpoint(hub, tsp_id, url)
        _, root = make_ca(f"{tsp_id} Root")
        chain = submit_chain(hub, tsp_id, certificate_pem(root).encode())  # type: ignore[arg-type]
        return endorse_chain(hub, chain.id)

    return make
