"""A snapshot that nobody renews loses its revocation lists before they shut everybody out, and nothing else."""

from datetime import datetime, timedelta

import pytest
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bothways.dataplane.publisher import current_snapshot
from bothways.operations.hub import Hub
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import LIST_MARGIN, LIST_VALIDITY
from bothways.xds import names
from bothways.xds.aged import without_ended_lists
from bothways.xds.snapshot import Snapshot


@pytest.fixture
def snapshot(hub: Hub) -> Snapshot:
    upkeep(hub)
    return current_snapshot(hub)


def trust(snapshot: Snapshot) -> secret_pb2.Secret:
    return secret_pb2.Secret.FromString(snapshot.of(names.SECRET_TYPE)[names.CUSTOMER_TRUST].packed.value)


def after(hub: Hub, **days: float) -> datetime:
    return hub.now() + LIST_VALIDITY - LIST_MARGIN + timedelta(**days)


def test_lists_that_last_stay(hub: Hub, snapshot: Snapshot) -> None:
    assert trust(snapshot).validation_context.crl.inline_string
    assert without_ended_lists(snapshot, after(hub, hours=-1)) is snapshot


@pytest.mark.parametrize("days", [0.01, 1, 400])
def test_lists_that_end_within_a_day_go_and_the_anchors_stay(hub: Hub, snapshot: Snapshot, days: float) -> None:
    aged = without_ended_lists(snapshot, after(hub, days=days))
    expected = trust(snapshot)
    expected.validation_context.ClearField("crl")
    expected.validation_context.only_verify_leaf_cert_crl = False
    assert trust(aged) == expected
    assert expected.validation_context.trusted_ca.inline_string
    assert aged.version != snapshot.version
    for type_url in names.PUSH_ORDER:
        changed = {name for name, each in aged.of(type_url).items() if each != snapshot.of(type_url)[name]}
        assert changed == ({names.CUSTOMER_TRUST} if type_url == names.SECRET_TYPE else set())


def test_a_snapshot_without_lists_stays(hub: Hub) -> None:
    without = current_snapshot(hub)
    assert without_ended_lists(without, after(hub, days=400)) is without
