"""A customer's server that runs, whose outbound flow counts as established; nothing of Envoy."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.wire.witnesses import Python

from bothways.connectivity.facts import ProbeFact
from bothways.demo.customer_ca import make_server_files
from bothways.operations.chains import endorse_chain, submit_chain
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.registry.customer import CustomerKind

Serve = Callable[[str], Python]


@pytest.fixture
def merchant(hub: Hub) -> str:
    """The tspId of a registered merchant: another customer than `issuer`."""
    add_customer(hub, "87654321", CustomerKind.MERCHANT, "Corner Shop")
    return "87654321"


@pytest.fixture
def serve(hub: Hub, tmp_path: Path) -> Iterator[Serve]:
    """Return a maker of servers for registered customers; they let in whoever has a certificate of the Client CA."""
    with ExitStack() as stack:

        def make(tsp_id: str) -> Python:
            (tmp_path / tsp_id).mkdir()
            host = f"c{tsp_id}.localhost"
            files = make_server_files(tmp_path / tsp_id, f"Bank {tsp_id}", host)
            server = Python(files, contract(hub).trust.client_ca)
            stack.enter_context(server.running())
            set_endpoint(hub, tsp_id, f"https://{host}:{server.port}")
            endorse_chain(hub, submit_chain(hub, tsp_id, files.chain.read_bytes()).id)
            record_probe(hub, tsp_id, ProbeFact(f"{host}:{server.port}", hub.now(), ok=True, seen="TLSv1.3"))
            return server

        yield make
