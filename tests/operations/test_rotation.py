"""Rotation (R15): another key and certificate, the same Client CA, and nothing else changes."""

from dataclasses import replace

import pytest
from cryptography import x509
from tests.operations.conftest import Audit

from bothways.errors import Unusable
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, contract, open_hub
from bothways.operations.rotation import rotate_client_certificate


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
