"""Which part of a change all get at once; for any order of changes: `properties/test_staging.py`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem
from bothways.xds.kept import digest_of
from bothways.xds.staging import HeldBack, Staging, at_once
from bothways.xds.state import Anchors, CustomerServer, HubState, Identity, KeyPair, ServiceRoute

BANK = Identity("urn:bothways:PPR:12345678:1a", "12345678")
SHOP = Identity("urn:bothways:PPR:87654321:2b", "87654321")
TOKENS = ServiceRoute("tokens", "/tokens", "127.0.0.1", 9000, (BANK,))


@pytest.fixture
def state(hub: Hub) -> HubState:
    return replace(hub_state(hub), identities=(BANK,), services=(TOKENS,))


def other(state: HubState) -> KeyPair:
    """Return another key pair than the endpoint's."""
    assert state.control_plane is None
    return replace(state.client, fingerprint="other")


def test_what_is_of_single_customers_goes_to_all_at_once(state: HubState) -> None:
    more = replace(state, identities=(BANK, SHOP), services=(replace(TOKENS, identities=(SHOP,)),))
    assert at_once(state, more) is more


def test_a_new_service_waits_and_takes_what_is_withdrawn_with_it_at_once(state: HubState) -> None:
    vault = replace(TOKENS, name="vault", prefix="/vault")
    wanted = replace(state, identities=(), services=(replace(TOKENS, identities=()), vault))
    assert at_once(state, wanted).services == (replace(TOKENS, identities=()),)
    assert at_once(state, wanted).identities == ()


def test_a_service_that_moves_waits_and_one_that_goes_does_not(state: HubState) -> None:
    moved = replace(state, services=(replace(TOKENS, port=9001, identities=(BANK, SHOP)),))
    assert at_once(state, moved).services == (replace(TOKENS, identities=(BANK, SHOP)),)
    gone = replace(state, services=())
    assert at_once(state, gone) is gone


def test_an_anchor_waits_until_it_passed_and_with_it_its_list_and_one_that_goes_does_not(
    state: HubState, make_ca: Callable[..., tuple[ec.EllipticCurvePrivateKey, x509.Certificate]]
) -> None:
    cas = [make_ca(name) for name in ("first", "second")]
    first, second = (certificate_pem(certificate) for _, certificate in cas)
    both, one = Anchors(first + second, tuple(revocation_list(*each) for each in cas)), Anchors(first)
    found = at_once(replace(state, trust=one), replace(state, trust=both)).trust
    assert (found.pem, found.lists) == (first, both.lists[:1])
    back = replace(state, trust=one)
    assert at_once(replace(state, trust=both), back) is back
    listed = replace(state, trust=replace(one, lists=both.lists[:1]))
    assert at_once(back, listed) is listed


def revocation_list(key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate) -> str:
    begin = issuer.not_valid_before_utc
    builder = x509.CertificateRevocationListBuilder(issuer.subject, begin, begin + timedelta(days=9))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def test_the_endpoint_is_shut_everywhere_at_once_and_opened_at_one_first(state: HubState) -> None:
    shut = replace(state, shut="let in", closures=1)
    assert at_once(state, shut) is shut
    opened = replace(state, closures=1)
    assert at_once(shut, opened).shut == "let in"
    # Shut and opened while nobody looked: those who came in before may do nothing.
    assert at_once(state, opened).closures == 1


def test_a_new_certificate_of_the_hub_waits_at_customers_that_had_another_too(state: HubState) -> None:
    def bank(client: KeyPair | None) -> CustomerServer:
        return CustomerServer("12345678", "bank.example", 443, "", state.trust, established=True, client=client)

    rotated = replace(state, client=other(state), customers=(bank(None),))
    for before in (None, state.server):
        found = at_once(replace(state, customers=(bank(before),)), rotated)
        assert (found.client, found.customers[0].client) == (state.client, before)


def test_what_was_refused_is_not_tried_again_until_it_is_another(state: HubState) -> None:
    staging, bad = Staging(), replace(state, services=(TOKENS, replace(TOKENS, name="vault", prefix="/vault", port=1)))
    held = HeldBack("v2", "eu-1", "and refused it: no such port", digest_of(bad))

    def take(wanted: HubState) -> bool:
        return staging.first_to_one(wanted, at_once(staging.good, wanted) if staging.good else wanted, held)

    assert take(state) is False
    staging.refused(held)
    assert take(replace(bad, identities=(BANK, SHOP))) is False
    assert "node eu-1 was given it first, and refused it: no such port" in str(staging.held)
    assert take(replace(bad, services=(TOKENS, replace(TOKENS, name="vault", prefix="/vault", port=2)))) is True
    assert not staging.held
    assert take(bad) is False
    assert staging.held == held
    assert take(state) is False
    assert not staging.held
