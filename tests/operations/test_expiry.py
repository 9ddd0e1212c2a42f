"""What ends is known 60, 30, 14, 7 and 1 days ahead, and told to each contact once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.outbound.signing import returned_by

from bothways.operations.certificates import certificate_seen, revoke_certificate
from bothways.operations.contacts import add_contact
from bothways.operations.customer_credentials import install_credential, request_credential
from bothways.operations.expiry import Ending, endings, expiring, record_notices
from bothways.operations.hub import Hub
from bothways.operations.nodes import note_use, withdraw_node
from bothways.operations.renewal import renews
from bothways.operations.rotation import make_next, put_next_to_use
from bothways.pki.revocation import RevocationReason
from bothways.registry.contact import ContactKind
from bothways.store import notices
from bothways.store.certificates import StoredCertificate
from bothways.store.nodes import NodeCertificate
from bothways.store.notices import StoredNotice

Certify = Callable[[str], StoredCertificate]
END = datetime.fromisoformat("2027-01-31T12:00:00+00:00")


def at(hub: Hub, moment: datetime) -> Hub:
    """Return the hub at another moment."""
    return replace(hub, now=lambda: moment)


def waiting(hub: Hub) -> list[StoredNotice]:
    with hub.read() as connection:
        return [*notices.waiting(connection, datetime.fromisoformat("2000-01-01T00:00:00+00:00"))]


@pytest.mark.parametrize(
    ("left", "wanted"),
    [
        (timedelta(days=60, seconds=1), None),
        (timedelta(days=60), 60),
        (timedelta(days=30, seconds=1), 60),
        (timedelta(days=30), 30),
        (timedelta(days=14), 14),
        (timedelta(days=7), 7),
        (timedelta(days=1, seconds=1), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(0), None),
        (timedelta(days=-1), None),
    ],
)
def test_the_least_threshold_that_was_reached_counts(left: timedelta, wanted: int | None) -> None:
    assert Ending("chain", "1", None, END, "").threshold(END - left) == wanted


def test_everything_in_force_that_ends_is_known(
    hub: Hub, issuer: str, certify: Certify, endorse: Callable[[str, str], Any]
) -> None:
    kept, gone = certify(issuer), certify(issuer)
    revoke_certificate(hub, gone.serial, RevocationReason.KEY_COMPROMISE)
    chain = endorse(issuer, "https://bank.example")
    found = endings(hub)
    assert sorted((each.kind, each.tsp_id) for each in found) == [
        ("authority", None),
        ("authority", None),
        ("authority", None),
        ("authority", None),
        ("certificate", issuer),
        ("chain", issuer),
        ("client", None),
        ("control-plane", None),
        ("server", None),
    ]
    assert {(each.kind, each.subject, each.ends_at) for each in found} >= {
        ("certificate", kept.serial, kept.not_after),
        ("chain", str(chain.id), chain.not_after),
    }
    assert [each.ends_at for each in found] == sorted(each.ends_at for each in found)


def test_each_threshold_is_told_once_to_the_customers_contacts_and_the_operators(
    hub: Hub, issuer: str, merchant: str, certify: Certify
) -> None:
    record = certify(issuer)
    contacts = [
        add_contact(hub, tsp_id, ContactKind.EMAIL, address).id
        for tsp_id, address in ((issuer, "a@bank.example"), (None, "a@hub.example"), (merchant, "a@shop.example"))
    ]
    for days in (61, 60, 59, 30, 14, 7, 1, 1, 0):
        now = at(hub, record.not_after - timedelta(days=days))
        record_notices(now)
        assert record_notices(now) == 0
    told = [(each.contact_id, each.threshold_days) for each in waiting(hub) if each.kind == "certificate"]
    assert sorted(told) == sorted((contact, days) for contact in contacts[:2] for days in (60, 30, 14, 7, 1))


def test_a_hub_that_was_down_tells_the_last_threshold_alone(hub: Hub, issuer: str, certify: Certify) -> None:
    record = certify(issuer)
    add_contact(hub, issuer, ContactKind.EMAIL, "a@bank.example")
    record_notices(at(hub, record.not_after - timedelta(days=5)))
    assert [(each.subject, each.threshold_days) for each in waiting(hub)] == [(record.serial, 7)]


def test_what_will_be_superseded_ends_then(hub: Hub, issuer: str, certify: Certify) -> None:
    old, new = certify(issuer), certify(issuer)
    renews(hub, new.request_id, old.serial)
    certificate_seen(hub, new.fingerprint or "")
    [ending] = expiring(hub)
    assert (ending.subject, ending.threshold(hub.now())) == (old.serial, 30)
    assert "is superseded" in ending.text
    assert ending.document(hub.now())["days"] == 29


def test_what_the_hub_renews_itself_is_told_only_when_it_did_not(hub: Hub) -> None:
    [client] = [each for each in endings(hub) if each.kind == "client"]
    for days, wanted in ((60, None), (31, None), (30, 30), (14, 14), (1, 1)):
        assert client.threshold(client.ends_at - timedelta(days=days)) == wanted


def test_a_nodes_certificate_is_told_of_and_so_is_one_that_was_made_and_never_installed(
    hub: Hub, certify_node: Callable[[str], NodeCertificate]
) -> None:
    first = certify_node("eu-1")
    soon = at(hub, first.not_after - timedelta(days=7))
    [ending] = [each for each in expiring(soon) if each.kind == "node"]
    assert (ending.subject, ending.tsp_id, ending.threshold(soon.now())) == (first.serial, None, 7)
    assert "bothways hub envoy-bootstrap --node eu-1" in ending.text
    note_use(soon, first.fingerprint)
    second = certify_node("eu-1")
    told = {each.subject: each.text for each in endings(soon) if each.kind == "node"}
    assert set(told) == {first.serial, second.serial}
    assert "Install it." in told[first.serial]
    withdraw_node(hub, "eu-1", "tested")
    assert [each for each in endings(soon) if each.kind == "node"] == []


def test_what_a_customers_ca_signed_for_the_hub_and_who_is_held_is_told_to_that_customer(
    hub: Hub, issuer: str, merchant: str, make_ca: Callable[..., Any]
) -> None:
    request = request_credential(hub, issuer, {})
    own = install_credential(hub, issuer, returned_by(make_ca("Bank"), request, days=100)).credential
    [client] = [each for each in endings(hub) if each.kind == "client"]
    put_next_to_use(hub, make_next(hub), {merchant: "answered 403"}, ())
    found = {each.kind: each for each in endings(hub) if each.kind in {"customer-client", "held"}}
    assert (found["customer-client"].tsp_id, found["customer-client"].subject) == (issuer, str(own.id))
    assert (found["customer-client"].ends_at, found["held"].ends_at) == (own.not_after, client.ends_at)
    assert found["held"].tsp_id == merchant
    assert "answered 403" in found["held"].text
    later = at(hub, client.ends_at + timedelta(days=1))
    assert "held" not in {each.kind for each in endings(later)}
    assert [each.kind for each in endings(hub) if each.kind == "client"] == ["client"]
