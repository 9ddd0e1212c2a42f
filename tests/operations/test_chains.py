"""Chains: what is endorsed vouches for one customer, while it is endorsed, and never is it the hub's own CA."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.chains import (
    endorse_chain,
    list_chains,
    refuse_chain,
    show_chain,
    submit_chain,
    withdraw_chain,
)
from bothways.operations.customers import remove_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.pki.chain import certificate_pem
from bothways.store.chains import ChainState

MakeCa = Callable[..., tuple[Any, Any]]


@pytest.fixture
def root(make_ca: MakeCa) -> bytes:
    return certificate_pem(make_ca("First Bank Root")[1]).encode()


def anchors(hub: Hub) -> dict[str, str]:
    return {each.tsp_id: each.anchors.pem for each in hub_state(hub).customers}


@pytest.mark.parametrize("name", ["issuing_ca", "client_ca", "server_ca"])
def test_the_hubs_own_cas_are_refused(hub: Hub, issuer: str, name: str) -> None:
    pem = getattr(contract(hub).trust, name)
    with pytest.raises(Refused) as refused:
        submit_chain(hub, issuer, pem.encode())
    assert "CHAIN-OWN-01" in {finding.id for finding in refused.value.findings}
    assert list_chains(hub) == ()


def test_a_chain_counts_only_once_it_is_endorsed(hub: Hub, issuer: str, root: bytes, audited: Audit) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    chain = submit_chain(hub, issuer, root)
    assert (chain.state, anchors(hub)) == (ChainState.SUBMITTED, {})
    endorsed = endorse_chain(hub, chain.id)
    assert (endorsed.state, endorsed.decided_by) == (ChainState.ENDORSED, "tester")
    assert anchors(hub) == {issuer: root.decode()}
    assert audited()[-2:] == [("chain.submit", str(chain.id)), ("chain.endorse", str(chain.id))]


def test_a_chain_vouches_for_no_other_customer(hub: Hub, issuer: str, merchant: str, make_ca: MakeCa) -> None:
    pems = {}
    for tsp_id in (issuer, merchant):
        set_endpoint(hub, tsp_id, f"https://host-{tsp_id}.example")
        pems[tsp_id] = certificate_pem(make_ca(f"{tsp_id} Root")[1])
        endorse_chain(hub, submit_chain(hub, tsp_id, pems[tsp_id].encode()).id)
    assert anchors(hub) == pems


def test_a_withdrawn_chain_vouches_for_nothing(hub: Hub, issuer: str, root: bytes, audited: Audit) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    chain = submit_chain(hub, issuer, root)
    endorse_chain(hub, chain.id)
    withdrawn = withdraw_chain(hub, chain.id, "the CA was replaced")
    assert (withdrawn.state, withdrawn.reason) == (ChainState.WITHDRAWN, "the CA was replaced")
    assert anchors(hub) == {}
    assert audited()[-1] == ("chain.withdraw", str(chain.id))
    assert submit_chain(hub, issuer, root).id != chain.id


def test_an_endorsed_chain_that_expires_vouches_for_nothing(hub: Hub, issuer: str, make_ca: MakeCa) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    pem = certificate_pem(make_ca("Short Root", days=10)[1])
    endorse_chain(hub, submit_chain(hub, issuer, pem.encode()).id)
    assert anchors(hub) == {issuer: pem}
    later = hub.now() + timedelta(days=11)
    assert anchors(replace(hub, now=lambda: later)) == {}


def test_a_chain_that_expired_under_review_is_not_endorsed(hub: Hub, issuer: str, make_ca: MakeCa) -> None:
    chain = submit_chain(hub, issuer, certificate_pem(make_ca("Short Root", days=10)[1]).encode())
    later = hub.now() + timedelta(days=11)
    with pytest.raises(Refused) as refused:
        endorse_chain(replace(hub, now=lambda: later), chain.id)
    assert [finding.id for finding in refused.value.findings] == ["CHAIN-DATE-01"]
    assert show_chain(hub, chain.id).state is ChainState.SUBMITTED


def test_the_same_chain_again_is_the_same_chain(hub: Hub, issuer: str, root: bytes, audited: Audit) -> None:
    first = submit_chain(hub, issuer, root)
    assert submit_chain(hub, issuer, root + root) == first
    assert [action for action, _ in audited()].count("chain.submit") == 1


def test_a_refused_chain_keeps_its_reason_and_is_not_endorsed(hub: Hub, issuer: str, root: bytes) -> None:
    chain = submit_chain(hub, issuer, root)
    assert refuse_chain(hub, chain.id, "the fingerprint differs").reason == "the fingerprint differs"
    with pytest.raises(Conflict, match="refused, not submitted"):
        endorse_chain(hub, chain.id)
    with pytest.raises(Conflict, match="refused, not endorsed"):
        withdraw_chain(hub, chain.id, "never mind")
    assert show_chain(hub, chain.id).state is ChainState.REFUSED


def test_a_chain_of_nobody_is_not_found(hub: Hub, root: bytes) -> None:
    with pytest.raises(NotFound):
        submit_chain(hub, "12345678", root)
    with pytest.raises(NotFound):
        endorse_chain(hub, 1)


def test_the_chain_of_a_removed_customer_is_not_endorsed(hub: Hub, issuer: str, root: bytes) -> None:
    chain = submit_chain(hub, issuer, root)
    remove_customer(hub, issuer)
    with pytest.raises(NotFound, match="no customer"):
        endorse_chain(hub, chain.id)
