"""The probe: what it needs before it goes out, and what it records of what it saw. The wire is in tests/wire."""

from collections.abc import Callable
from typing import Any

import pytest

from bothways.errors import Conflict, NotFound
from bothways.operations.chains import endorse_chain, submit_chain, withdraw_chain
from bothways.operations.customers import show_customer
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub
from bothways.outbound.probe import probe_customer
from bothways.pki.chain import certificate_pem
from bothways.store.schema import probe

MakeCa = Callable[..., tuple[Any, Any]]


@pytest.fixture
def chain(hub: Hub, issuer: str, make_ca: MakeCa) -> int:
    """The number of a chain under review, for an endpoint at which nothing listens."""
    set_endpoint(hub, issuer, "https://bank.localhost:1")
    return submit_chain(hub, issuer, certificate_pem(make_ca("Root")[1]).encode()).id


def probes(hub: Hub) -> int:
    with hub.read() as connection:
        return len(connection.execute(probe.select()).all())


def test_without_endpoint_there_is_nothing_to_probe(hub: Hub, issuer: str) -> None:
    with pytest.raises(NotFound, match="has no endpoint"):
        probe_customer(hub, issuer)
    with pytest.raises(NotFound, match="no customer"):
        probe_customer(hub, "00000000")


def test_without_endorsed_chain_nothing_can_be_trusted(hub: Hub, issuer: str, chain: int) -> None:
    with pytest.raises(Conflict, match="no endorsed chain"):
        probe_customer(hub, issuer)
    endorse_chain(hub, chain)
    withdraw_chain(hub, chain, "the CA was replaced")
    with pytest.raises(Conflict, match="no endorsed chain"):
        probe_customer(hub, issuer)
    assert probes(hub) == 0


# The HTTP library leaves a unix socket that it could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_while_the_hub_does_not_run_nothing_is_recorded(hub: Hub, issuer: str, chain: int) -> None:
    endorse_chain(hub, chain)
    with pytest.raises(Conflict, match="bothways hub run"):
        probe_customer(hub, issuer)
    assert probes(hub) == 0
    assert show_customer(hub, issuer).assessment.outbound.state == "in progress"


@pytest.mark.envoy
def test_what_was_seen_is_recorded_with_the_address_it_was_seen_at(running_hub: Hub, issuer: str, chain: int) -> None:
    endorse_chain(running_hub, chain)
    fact = probe_customer(running_hub, issuer).fact
    assert (fact.address, fact.ok) == ("bank.localhost:1", False)
    assert fact.seen
    assert probes(running_hub) == 1
    outbound = show_customer(running_hub, issuer).assessment.outbound
    assert (outbound.state, outbound.reason) == ("broken", f"the last probe failed: {fact.seen}")
