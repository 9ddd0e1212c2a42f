"""Which certificates open the control plane: those of a node on record, down to the one that took over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.operations.conftest import Audit

from bothways.errors import NotFound
from bothways.operations.authorities import add_node_authority
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.nodes import OVERLAP, authorities_in_use, list_nodes, note_use, withdraw_node
from bothways.store.nodes import NodeCertificate
from bothways.xds.state import Address, RemoteNode

Certify = Callable[[str], NodeCertificate]


def opens(hub: Hub, later: timedelta = timedelta(0)) -> dict[str, frozenset[str]]:
    """Return the fingerprints that open the control plane, by node, so much later."""
    moment = hub.now() + later
    return {each.name: each.fingerprints for each in hub_state(replace(hub, now=lambda: moment)).nodes}


def test_a_node_is_what_the_data_plane_has(nodes_hub: Hub, certify_node: Certify) -> None:
    made, settings = certify_node("eu-1"), nodes_hub.settings
    state = hub_state(nodes_hub)
    assert state.nodes == (
        RemoteNode(
            "eu-1",
            Address(settings.inbound_address, settings.inbound_port),
            Address(settings.egress_address, settings.egress_port),
            frozenset([made.fingerprint]),
        ),
    )
    assert state.control_plane is not None


def test_a_hub_that_lets_no_node_in_shows_nodes_nothing(hub: Hub) -> None:
    assert hub_state(hub).control_plane is None


def test_a_certificate_that_was_never_used_cuts_nothing_off(nodes_hub: Hub, certify_node: Certify) -> None:
    first, second = certify_node("eu-1"), certify_node("eu-1")
    note_use(nodes_hub, first.fingerprint)
    assert opens(nodes_hub, OVERLAP * 2) == {"eu-1": {first.fingerprint, second.fingerprint}}


def test_the_ones_before_go_on_for_the_overlap_after_the_new_one_was_used(
    nodes_hub: Hub, certify_node: Certify
) -> None:
    first, second, other = certify_node("eu-1"), certify_node("eu-1"), certify_node("eu-2")
    note_use(nodes_hub, second.fingerprint)
    both = {first.fingerprint, second.fingerprint}
    assert opens(nodes_hub, OVERLAP - timedelta(minutes=1))["eu-1"] == both
    assert opens(nodes_hub, OVERLAP) == {"eu-1": {second.fingerprint}, "eu-2": {other.fingerprint}}


def test_what_took_over_and_ended_brings_none_before_it_back(nodes_hub: Hub, certify_node: Certify) -> None:
    certify_node("eu-1")
    second = certify_node("eu-1")
    note_use(nodes_hub, second.fingerprint)
    assert opens(nodes_hub, second.not_after - nodes_hub.now()) == {"eu-1": frozenset()}


def test_a_withdrawn_node_has_nothing_that_opens_also_when_its_name_comes_back(
    nodes_hub: Hub, certify_node: Certify, audited: Audit
) -> None:
    certify_node("eu-1")
    withdraw_node(nodes_hub, "eu-1", "tested")
    assert opens(nodes_hub) == {}
    with pytest.raises(NotFound):
        withdraw_node(nodes_hub, "eu-1", "tested")
    again = certify_node("eu-1")
    assert opens(nodes_hub) == {"eu-1": {again.fingerprint}}
    assert audited()[-3:] == [("node.add", "eu-1"), ("node.withdraw", "eu-1"), ("node.add", "eu-1")]


def test_a_use_is_recorded_once(nodes_hub: Hub, certify_node: Certify, audited: Audit) -> None:
    made = certify_node("eu-1")
    for _ in range(2):
        note_use(nodes_hub, made.fingerprint)
    note_use(nodes_hub, "0" * 64)
    assert audited()[-2:] == [("node.add", "eu-1"), ("node.certificate-used", made.fingerprint)]


def test_all_nodes_that_there_ever_were_are_listed(nodes_hub: Hub, certify_node: Certify) -> None:
    made = certify_node("eu-1")
    certify_node("eu-2")
    withdraw_node(nodes_hub, "eu-2", "tested")
    found: list[dict[str, Any]] = list_nodes(nodes_hub)
    assert [(each["node"], each["state"]) for each in found] == [("eu-1", "current"), ("eu-2", "withdrawn")]
    assert [each["serial"] for each in found[0]["certificates"]] == [made.serial]
    assert found[1]["certificates"] == []


def test_of_which_ca_a_node_is_is_told_by_the_newest_certificate_that_it_has_shown(
    nodes_hub: Hub, certify_node: Certify
) -> None:
    first = certify_node("eu-1")
    assert authorities_in_use(nodes_hub) == {}
    note_use(nodes_hub, first.fingerprint)
    added = add_node_authority(nodes_hub)
    second = certify_node("eu-1")
    assert authorities_in_use(nodes_hub) == {"eu-1": first.authority_id}
    note_use(nodes_hub, second.fingerprint)
    assert authorities_in_use(nodes_hub) == {"eu-1": added.id} != {"eu-1": first.authority_id}
