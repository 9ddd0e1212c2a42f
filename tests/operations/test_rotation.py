"""Rotation (R15): another key and certificate, the same Client CA, and nothing else changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from tests.operations.conftest import Audit

from bothways.errors import Unusable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, open_hub
from bothways.operations.rotation import (
    OWN,
    next_renewal,
    own_certificates,
    renew_credential,
    renewal_due,
    rotate_client_certificate,
)
from bothways.pki.profile import BACKDATE, HUB_CLIENT_VALIDITY
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
    (hub.directory / "keys" / "client-ca-1.key").unlink()
    with (
        open_hub(hub.directory, "another") as opened,
        pytest.raises(Unusable, match=r"client-ca-1\.key"),
    ):
        rotate_client_certificate(opened)
    assert hub_state(hub) == before
    assert audited() == lines


def test_a_rotation_that_cannot_sign_leaves_no_key_behind(hub: Hub) -> None:
    (hub.directory / "keys" / "client-ca-1.key").unlink()
    before = set((hub.directory / "keys").iterdir())
    with open_hub(hub.directory, "another") as opened, pytest.raises(Unusable):
        rotate_client_certificate(opened)
    assert set((hub.directory / "keys").iterdir()) == before


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
