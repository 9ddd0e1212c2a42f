"""Rotation (R15): another key and certificate, the same Client CA, and nothing else changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from tests.operations.conftest import Audit
from tests.stored_keys import key_names, without_key

from bothways.connectivity.facts import ProbeFact
from bothways.errors import Unusable
from bothways.operations.customers import add_customer
from bothways.operations.data_plane import DataPlane, hub_state
from bothways.operations.endpoints import record_probe
from bothways.operations.hub import Hub, contract, open_hub
from bothways.operations.rotation import (
    ASKED_WITHIN,
    OWN,
    credential_pair,
    held_customers,
    make_next,
    next_renewal,
    own_certificates,
    put_next_to_use,
    release_customer,
    renew_credential,
    renewal_due,
    rotate_client_certificate,
    to_be_asked,
    waiting_next,
)
from bothways.pki.profile import BACKDATE, HUB_CLIENT_VALIDITY
from bothways.registry.customer import CustomerKind
from bothways.store.authorities import Role


def test_the_new_certificate_has_a_new_key_and_the_same_ca(hub: Hub, audited: Audit) -> None:
    before, agreed = hub_state(hub), contract(hub)
    serial = rotate_client_certificate(hub)
    after = hub_state(hub)
    old, new = (x509.load_pem_x509_certificate(each.client.certificate_pem.encode()) for each in (before, after))
    ca = x509.load_pem_x509_certificate(agreed.trust.client_ca.encode())
    for each in (old, new):
        each.verify_directly_issued_by(ca)
    assert f"{new.serial_number:x}" == serial
    assert new.subject == old.subject
    assert new.public_key() != old.public_key()
    assert contract(hub) == agreed
    assert replace(after, client=before.client) == before
    assert audited()[-1] == ("rotate.client", serial)


def test_a_rotated_key_is_read_back_by_the_next_process(hub: Hub) -> None:
    rotate_client_certificate(hub)
    with open_hub(hub.directory, "another") as opened:
        assert hub_state(opened).client == hub_state(hub).client


def test_a_rotation_that_cannot_sign_changes_nothing(hub: Hub, audited: Audit) -> None:
    before, lines = hub_state(hub), audited()
    with without_key(hub, "client-ca-1") as opened, pytest.raises(Unusable, match="client-ca-1 is not in the database"):
        rotate_client_certificate(opened)
    assert hub_state(hub) == before
    assert audited() == lines


def test_a_rotation_that_cannot_sign_leaves_no_key_behind(hub: Hub) -> None:
    with without_key(hub, "client-ca-1") as opened:
        before = key_names(hub)
        with pytest.raises(Unusable):
            rotate_client_certificate(opened)
        assert key_names(hub) == before


@pytest.mark.parametrize("role", OWN)
def test_a_certificate_of_the_hub_is_renewed_when_a_third_of_its_life_is_left_and_not_before(
    hub: Hub, audited: Audit, role: Role
) -> None:
    due = next_renewal(hub, role)
    assert due is not None
    assert renew_credential(replace(hub, now=lambda: due - timedelta(seconds=1)), role) is None
    lines = audited()
    serial = renew_credential(replace(hub, now=lambda: due), role)
    assert audited() == [*lines, (f"rotate.{OWN[role]}", serial)]
    assert own_certificates(hub)[OWN[role]]["serial"] == serial
    again = next_renewal(hub, role)
    assert again is not None
    assert again > due + timedelta(days=59)


def test_two_thirds_of_90_days_are_60(hub: Hub) -> None:
    client = x509.load_pem_x509_certificate(hub_state(hub).client.certificate_pem.encode())
    due = next_renewal(hub, Role.CLIENT)
    assert due is not None
    assert due - client.not_valid_before_utc == (HUB_CLIENT_VALIDITY + BACKDATE) * 2 / 3


def test_nothing_is_renewed_where_the_end_of_the_ca_leaves_nothing_to_gain(make_ca: Callable[..., Any]) -> None:
    ca = make_ca("CA", days=100)
    long, short = (make_ca("hub", ca, ca=False, days=days)[1] for days in (100, 60))
    assert renewal_due(Role.CLIENT, long, ca[1]) is None
    assert renewal_due(Role.CLIENT, short, ca[1]) is not None


@pytest.fixture
def called(hub: Hub, issuer: str, merchant: str, endorse: Callable[[str, str], Any]) -> tuple[str, str]:
    """Two customers whose outbound flow is established."""
    for tsp_id, host in ((issuer, "bank.example"), (merchant, "shop.example")):
        endorse(tsp_id, f"https://{host}")
        record_probe(hub, tsp_id, ProbeFact(f"{host}:443", hub.now(), ok=True, seen="TLSv1.3"))
    return issuer, merchant


def shown(hub: Hub) -> dict[str, str]:
    """Return the fingerprint of what each customer is shown."""
    state = hub_state(hub)
    return {each.tsp_id: state.client_of(each).fingerprint for each in state.customers}


def test_the_next_certificate_is_shown_to_nobody_until_it_is_put_to_use(
    hub: Hub, called: tuple[str, str], audited: Audit
) -> None:
    before = hub_state(hub)
    following = make_next(hub)
    assert hub_state(hub) == before
    assert make_next(hub) == waiting_next(hub) == following
    serial = f"{following.certificate.serial_number:x}"
    assert audited()[-1] == ("rotate.next", serial)
    assert put_next_to_use(hub, following, {}, called)
    assert own_certificates(hub)["client"]["serial"] == serial
    assert len(set(shown(hub).values())) == 1
    assert waiting_next(hub) is None
    assert not put_next_to_use(hub, following, {}, ()), "it is in use already"
    assert credential_pair(hub, following) == hub_state(hub).client


def test_who_refuses_stays_with_the_one_before_through_further_rotations_until_it_takes_one(
    hub: Hub, called: tuple[str, str], audited: Audit
) -> None:
    issuer, merchant = called
    pinned = shown(hub)[issuer]
    for _ in range(3):
        put_next_to_use(hub, make_next(hub), {issuer: "answered 403"}, [merchant])
        now_shown = shown(hub)
        assert now_shown[issuer] == pinned != now_shown[merchant]
    assert held_customers(hub) == {issuer}
    assert [line for line in audited() if line[0] == "rotate.hold"] == [("rotate.hold", issuer)] * 3
    assert [server.tsp_id for server, _ in to_be_asked(hub)] == [issuer, merchant]
    assert {server.tsp_id: pair.fingerprint for server, pair in to_be_asked(hub)} == shown(hub)
    put_next_to_use(hub, make_next(hub), {}, called)
    assert audited()[-1] == ("rotate.release", issuer)
    assert len(set(shown(hub).values())) == 1
    assert held_customers(hub) == set()


def test_one_that_is_held_is_released_by_name_or_with_all_others(hub: Hub, called: tuple[str, str]) -> None:
    for release in (lambda: release_customer(hub, called[0], "it takes it"), lambda: rotate_client_certificate(hub)):
        put_next_to_use(hub, make_next(hub), {called[0]: "answered 403"}, ())
        release()
        assert held_customers(hub) == set()
        assert len(set(shown(hub).values())) == 1


def test_who_is_held_gets_the_current_one_when_the_earlier_one_ends(hub: Hub, called: tuple[str, str]) -> None:
    end = x509.load_pem_x509_certificate(hub_state(hub).client.certificate_pem.encode()).not_valid_after_utc
    later = replace(hub, now=lambda: end - timedelta(days=1))
    put_next_to_use(later, make_next(later), {called[0]: "answered 403"}, ())
    clock = iter((end - timedelta(seconds=1), end))
    kept = DataPlane(replace(hub, now=lambda: next(clock)))
    for differ in (2, 1):
        state = kept.state()
        assert len({state.client_of(each).fingerprint for each in state.customers}) == differ
        assert len(kept.problems) == differ - 1


def test_only_whom_calls_could_be_lost_of_is_asked(
    hub: Hub, called: tuple[str, str], endorse: Callable[[str, str], Any]
) -> None:
    add_customer(hub, "55555555", CustomerKind.ISSUER, "Not proved")
    endorse("55555555", "https://third.example")
    assert {server.tsp_id for server, _ in to_be_asked(hub)} == set(called)


def test_by_the_clock_customers_are_asked_first_and_not_for_ever(hub: Hub, called: tuple[str, str]) -> None:
    due = next_renewal(hub, Role.CLIENT)
    assert due is not None
    before = shown(hub)
    serial = renew_credential(replace(hub, now=lambda: due), Role.CLIENT)
    following = waiting_next(hub)
    assert following is not None
    assert (f"{following.certificate.serial_number:x}", shown(hub)) == (serial, before)
    soon, late = (following.created_at + ASKED_WITHIN + each for each in (timedelta(seconds=-1), timedelta(0)))
    assert renew_credential(replace(hub, now=lambda: soon), Role.CLIENT) is None
    assert renew_credential(replace(hub, now=lambda: late), Role.CLIENT) == serial
    assert own_certificates(hub)["client"]["serial"] == serial
    assert set(shown(hub)) == set(called)


def test_a_hub_that_slept_through_the_end_asks_nobody(hub: Hub, called: tuple[str, str]) -> None:
    end = x509.load_pem_x509_certificate(hub_state(hub).client.certificate_pem.encode()).not_valid_after_utc
    serial = renew_credential(replace(hub, now=lambda: end), Role.CLIENT)
    assert own_certificates(hub)["client"]["serial"] == serial
    assert called
