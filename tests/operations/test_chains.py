"""Chains: what is endorsed vouches for one customer, while it is endorsed, and never is it the hub's own CA."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import certifi
import pytest
from cryptography import x509
from sqlalchemy import select
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotFound, Refused
from bothways.findings import Level
from bothways.operations.chains import (
    endorse_chain,
    known_authorities,
    list_chains,
    refuse_chain,
    review_chain,
    show_chain,
    submit_chain,
    withdraw_chain,
)
from bothways.operations.customers import remove_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.pki.chain import certificate_pem, parse_chain
from bothways.pki.keys import spki_pin
from bothways.store.authorities import Role
from bothways.store.chains import ChainState
from bothways.store.schema import audit

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
    remove_customer(hub, issuer, "tested")
    with pytest.raises(NotFound, match="no customer"):
        endorse_chain(hub, chain.id)


@pytest.fixture
def web_root() -> bytes:
    """A root that every browser trusts, as Mozilla's list has it."""
    return (certifi.contents().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n").encode()


def found_in(error: Refused) -> list[str]:
    return [finding.id for finding in error.findings]


def test_a_public_root_is_told_and_endorsed_only_by_who_says_so(
    hub: Hub, issuer: str, web_root: bytes, audited: Audit
) -> None:
    chain = submit_chain(hub, issuer, web_root)
    [finding] = review_chain(hub, chain.id)[2]
    assert (finding.id, finding.level) == ("CHAIN-PUBLIC-01", Level.WARNING)
    with pytest.raises(Refused) as refused:
        endorse_chain(hub, chain.id)
    assert found_in(refused.value) == ["CHAIN-PUBLIC-01"]
    assert "--public-root" in str(refused.value)
    assert show_chain(hub, chain.id).state is ChainState.SUBMITTED
    assert endorse_chain(hub, chain.id, public_root=True).state is ChainState.ENDORSED
    with hub.read() as connection:
        detail = connection.scalars(select(audit.c.detail).order_by(audit.c.sequence.desc())).first()
    assert json.loads(detail or "")["public_root"] is True
    assert audited()[-1] == ("chain.endorse", str(chain.id))


def test_a_root_of_ones_own_needs_no_word_for_it(hub: Hub, issuer: str, root: bytes) -> None:
    chain = submit_chain(hub, issuer, root)
    assert review_chain(hub, chain.id)[2] == ()
    endorse_chain(hub, chain.id, public_root=True)
    with hub.read() as connection:
        detail = connection.scalars(select(audit.c.detail).order_by(audit.c.sequence.desc())).first()
    assert "public_root" not in json.loads(detail or "")


def test_a_root_of_two_customers_is_told_to_the_second_and_names_nobody(
    hub: Hub, issuer: str, merchant: str, root: bytes
) -> None:
    endorse_chain(hub, submit_chain(hub, issuer, root).id)
    chain = submit_chain(hub, merchant, root)
    [finding] = review_chain(hub, chain.id)[2]
    assert (finding.id, issuer in str(finding)) == ("CHAIN-SHARED-01", False)
    assert endorse_chain(hub, chain.id).state is ChainState.ENDORSED


def test_a_ca_that_excludes_the_host_is_told(hub: Hub, issuer: str, make_ca: MakeCa) -> None:
    set_endpoint(hub, issuer, "https://calls.bank.example")
    constraints = x509.NameConstraints([x509.DNSName("other.example")], None)
    chain = submit_chain(hub, issuer, certificate_pem(make_ca("Root", extensions=[constraints])[1]).encode())
    assert [each.id for each in review_chain(hub, chain.id)[2]] == ["CHAIN-CA-05"]


def test_a_ca_of_the_other_environment_is_refused_and_a_public_one_is_not(
    hub: Hub, issuer: str, root: bytes, web_root: bytes
) -> None:
    endorse_chain(hub, submit_chain(hub, issuer, root).id)
    endorse_chain(hub, submit_chain(hub, issuer, web_root).id, public_root=True)
    told = known_authorities(hub)
    # The CAs of the hub itself, and the customer's.
    assert len(told) == len(Role) + 1
    pins = {spki_pin(each.public_key()) for each in parse_chain(root).certificates}
    assert pins <= set(told)
    (hub.directory / "ppr.keys").write_text("\n".join(told))
    other = replace(hub, settings=replace(hub.settings, used_elsewhere="ppr.keys"))
    withdraw_chain(hub, 1, "only so that it is not the same chain")
    with pytest.raises(Refused) as refused:
        submit_chain(other, issuer, root)
    assert found_in(refused.value) == ["CHAIN-OWN-02"]
    assert submit_chain(other, issuer, web_root).id == 2
    withdraw_chain(hub, 2, "the CA was replaced")
    assert endorse_chain(other, submit_chain(other, issuer, web_root).id, public_root=True).id == 3


def test_what_is_wrong_with_order_and_certificates_is_said_at_once(hub: Hub, issuer: str, make_ca: MakeCa) -> None:
    low = make_ca("Low", make_ca("Root"), ca=False, days=-1)
    with pytest.raises(Refused) as refused:
        submit_chain(hub, issuer, certificate_pem(low[1]).encode())
    assert found_in(refused.value) == ["CHAIN-ORDER-01", "CHAIN-CA-01", "CHAIN-DATE-01"]
    assert list_chains(hub) == ()


PIN, OTHER_PIN = "ab" * 32, "cd" * 32


def test_pins_narrow_whom_the_server_may_be_and_end_with_their_endorsement(
    hub: Hub, issuer: str, make_ca: MakeCa
) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    roots = [certificate_pem(make_ca(name)[1]).encode() for name in ("One", "Two", "Three")]
    numbers = [submit_chain(hub, issuer, each).id for each in roots]
    seen = []
    for number, pins in zip(numbers, [(PIN, PIN), (OTHER_PIN,), ()], strict=True):
        endorse_chain(hub, number, pins=pins)
        seen.append([each.spki_pins for each in hub_state(hub).customers])
    assert seen == [[(PIN,)], [(PIN, OTHER_PIN)], [(PIN, OTHER_PIN)]]
    assert show_chain(hub, numbers[0]).spki_pins == (PIN,)
    for number in numbers[:2]:
        withdraw_chain(hub, number, "the CA was replaced")
        seen.append([each.spki_pins for each in hub_state(hub).customers])
    assert seen[3:] == [[(OTHER_PIN,)], [()]]


@pytest.mark.parametrize(
    "pins", [("ab",), ("AB" * 32,), ("xy" * 32,), (f"{PIN}\n",), tuple(f"{n:064}" for n in range(9))]
)
def test_what_is_no_pin_is_refused(hub: Hub, issuer: str, root: bytes, pins: tuple[str, ...]) -> None:
    chain = submit_chain(hub, issuer, root)
    with pytest.raises(Refused) as refused:
        endorse_chain(hub, chain.id, pins=pins)
    assert found_in(refused.value) == ["CHAIN-PIN-01"]
    assert show_chain(hub, chain.id).state is ChainState.SUBMITTED
