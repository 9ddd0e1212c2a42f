"""Who is let in follows from what is on record; over a real connection: `tests/wire/test_nodes.py`."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bothways.dataplane.admission import Admission
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.nodes import list_nodes, withdraw_node
from bothways.pki.chain import certificate_pem
from bothways.xds.state import Address

PLACES = ([Address("127.0.0.1", 18000)], [Address("127.0.0.1", 18001)])


@pytest.fixture
def nodes_hub(hub: Hub) -> Hub:
    """The hub, letting remote nodes in."""
    return replace(hub, settings=replace(hub.settings, nodes_port=18000, nodes_connectivity_port=18001))


@pytest.fixture
def certificate(nodes_hub: Hub, tmp_path: Path) -> bytes:
    """The certificate of the node eu-1, in PEM."""
    bootstrap_node(nodes_hub, "eu-1", tmp_path, *PLACES)
    return (tmp_path / "tls.crt").read_bytes()


def fingerprint(hub: Hub) -> str:
    shown: str = list_nodes(hub)[0]["certificates"][0]["fingerprint"]
    return shown


def test_a_node_on_record_is_known_by_its_certificate_until_it_is_withdrawn(nodes_hub: Hub, certificate: bytes) -> None:
    admission, shown = Admission(hub_state(nodes_hub)), fingerprint(nodes_hub)
    assert list(admission.names) == ["eu-1"]
    assert admission.node_of(certificate) == ("eu-1", shown)
    assert (admission.admits("eu-1", shown), admission.admits("eu-2", shown)) == (True, False)
    withdraw_node(nodes_hub, "eu-1", "tested")
    admission.follow(hub_state(nodes_hub))
    assert list(admission.names) == []
    assert admission.node_of(certificate) is None
    assert not admission.admits("eu-1", shown)


def test_nothing_else_is_a_node(nodes_hub: Hub, certificate: bytes, make_ca: Callable[..., Any]) -> None:
    state = hub_state(nodes_hub)
    admission = Admission(state)
    twin = certificate_pem(make_ca("eu-1", ca=False)[1])
    for stranger in (b"", b"no certificate", twin.encode(), state.client.certificate_pem.encode(), certificate[:-40]):
        assert admission.node_of(stranger) is None


def test_without_a_certificate_of_its_own_the_control_plane_lets_nobody_in(hub: Hub) -> None:
    with pytest.raises(ValueError, match="not let in"):
        Admission(hub_state(hub)).credentials()


def test_the_first_use_of_a_certificate_is_recorded(nodes_hub: Hub, certificate: bytes) -> None:
    admission = Admission(hub_state(nodes_hub))

    async def run() -> None:
        noting = asyncio.create_task(admission.note_uses(nodes_hub))
        async with asyncio.timeout(20):
            admission.node_of(certificate)
            while list_nodes(nodes_hub)[0]["certificates"][0]["used_at"] is None:  # noqa: ASYNC110 - another thread's work
                await asyncio.sleep(0.01)
        noting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await noting

    asyncio.run(run())
