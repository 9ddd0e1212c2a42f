"""The node CA is replaced: nodes first, then the control plane, and the old one goes when nobody has anything of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from tests.operations.conftest import Audit

from bothways.errors import Conflict
from bothways.operations.authorities import add_node_authority, list_authorities, retirable, retire_authority
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, issuer_for_hub
from bothways.operations.node_authority import control_plane_issuer, node_trust, nodes_behind
from bothways.operations.nodes import OVERLAP, list_nodes, note_use, withdraw_node
from bothways.operations.upkeep import upkeep
from bothways.pki.chain import certificate_pem
from bothways.store import authorities
from bothways.store.authorities import Authority, Role
from bothways.store.nodes import NodeCertificate

Certify = Callable[[str], NodeCertificate]


def signing(hub: Hub) -> Authority:
    with hub.read() as connection:
        return authorities.signing_authority(connection, Role.NODE)


def shown_under(hub: Hub) -> int:
    """Return the CA of what the control plane shows to nodes."""
    with hub.read() as connection:
        return authorities.current_credential(connection, Role.NODE).authority_id


def behind(hub: Hub) -> tuple[str, ...]:
    with hub.read() as connection:
        return nodes_behind(connection)


def anchors(hub: Hub) -> str:
    """Return the CAs under which nodes are let in, as the data plane has them."""
    control_plane = hub_state(hub).control_plane
    assert control_plane is not None
    return control_plane.anchors.pem


def later(hub: Hub, by: timedelta) -> Hub:
    moment = hub.now() + by
    return replace(hub, now=lambda: moment)


def states(hub: Hub) -> dict[int, tuple[str, int]]:
    return {
        each["id"]: (each["state"], each["certificates"]) for each in list_authorities(hub) if each["role"] == "node"
    }


def test_both_are_trusted_and_the_new_one_signs_for_nodes_but_not_yet_for_the_control_plane(
    nodes_hub: Hub, certify_node: Certify, audited: Audit
) -> None:
    old, before, agreed = signing(nodes_hub), certify_node("eu-1"), contract(nodes_hub)
    added = add_node_authority(nodes_hub)
    assert audited()[-1] == ("authority.add", str(added.id))
    both = certificate_pem(added.certificate) + certificate_pem(old.certificate)
    assert anchors(nodes_hub) == both
    assert certify_node("eu-1").authority_id == added.id
    with nodes_hub.read() as connection:
        assert node_trust(connection) == both
        assert control_plane_issuer(connection, nodes_hub.now()) == old
        assert issuer_for_hub(connection, Role.SERVER, nodes_hub.now()).id not in {old.id, added.id}
    assert [each["authority"] for each in list_nodes(nodes_hub)[0]["certificates"]] == [added.id, before.authority_id]
    # No customer ever meets it.
    assert contract(nodes_hub) == agreed


def test_the_control_plane_changes_over_when_every_node_has_used_a_certificate_of_the_new_one(
    nodes_hub: Hub, certify_node: Certify, audited: Audit
) -> None:
    old = signing(nodes_hub)
    for name in ("eu-1", "eu-2", "eu-3"):
        note_use(nodes_hub, certify_node(name).fingerprint)
    added = add_node_authority(nodes_hub)
    following = {name: certify_node(name) for name in ("eu-1", "eu-2")}
    note_use(nodes_hub, following["eu-1"].fingerprint)
    assert behind(nodes_hub) == ("eu-2", "eu-3")
    assert upkeep(nodes_hub).problems == ()
    assert shown_under(nodes_hub) == old.id
    note_use(nodes_hub, following["eu-2"].fingerprint)
    # A node that is gone keeps nobody.
    withdraw_node(nodes_hub, "eu-3", "tested")
    done = upkeep(nodes_hub).done
    assert any("the control-plane certificate is renewed" in each for each in done), done
    assert (shown_under(nodes_hub), behind(nodes_hub)) == (added.id, ())
    assert "rotate.control-plane" in {action for action, _ in audited()}
    # And not again and again.
    assert not any("control-plane" in each for each in upkeep(nodes_hub).done)


def test_the_old_one_is_retired_by_itself_when_nothing_of_it_is_in_use(
    nodes_hub: Hub, certify_node: Certify, audited: Audit
) -> None:
    old = signing(nodes_hub)
    note_use(nodes_hub, certify_node("eu-1").fingerprint)
    added = add_node_authority(nodes_hub)
    assert states(nodes_hub) == {added.id: ("signing", 0), old.id: ("trusted", 2)}
    with pytest.raises(Conflict, match=f"2 certificates of the node CA {old.id} are in use"):
        retire_authority(nodes_hub, old.id, "tested")
    with pytest.raises(Conflict, match=f"the CA {added.id} signs"):
        retire_authority(nodes_hub, added.id, "tested")
    note_use(nodes_hub, certify_node("eu-1").fingerprint)
    upkeep(nodes_hub)
    # The node's connections of before go on for the overlap, and so does what vouches for them.
    assert (states(nodes_hub)[old.id], retirable(nodes_hub)) == (("trusted", 1), ())
    after = later(nodes_hub, OVERLAP)
    assert upkeep(after).problems == ()
    assert states(after) == {added.id: ("signing", 2), old.id: ("retired", 0)}
    assert anchors(after) == certificate_pem(added.certificate)
    assert ("authority.retire", str(old.id)) in audited()


def test_a_hub_without_nodes_changes_over_at_once(hub: Hub) -> None:
    old, added = signing(hub), add_node_authority(hub)
    upkeep(hub)
    assert shown_under(hub) == added.id
    upkeep(hub)
    assert states(hub)[old.id] == ("retired", 0)


def test_a_node_that_never_comes_keeps_the_others_until_what_it_would_know_has_ended(
    nodes_hub: Hub, certify_node: Certify
) -> None:
    certify_node("eu-1")
    added = add_node_authority(nodes_hub)
    with nodes_hub.read() as connection:
        end = authorities.current_credential(connection, Role.NODE).certificate.not_valid_after_utc
        for moment, wanted in ((end - timedelta(seconds=1), False), (end, True)):
            assert (control_plane_issuer(connection, moment).id == added.id) is wanted


def test_until_then_what_the_control_plane_shows_is_renewed_under_the_old_one(
    nodes_hub: Hub, certify_node: Certify
) -> None:
    certify_node("eu-1")
    old = signing(nodes_hub)
    add_node_authority(nodes_hub)
    pair = hub_state(nodes_hub).control_plane
    assert pair is not None
    certificate = x509.load_pem_x509_certificate(pair.pair.certificate_pem.encode())
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    due = replace(nodes_hub, now=lambda: end - (end - begin) / 4)
    upkeep(due)
    renewed = hub_state(due).control_plane
    assert renewed is not None
    assert renewed.pair != pair.pair
    assert shown_under(due) == old.id
