from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import update
from tests.eventually import eventually
from tests.operations.conftest import Audit
from tests.postgresql import in_files

from bothways.connectivity.observation import FailedHandshake, Failure, MatchedBy, Observation, RefusedRequest
from bothways.errors import NotFound
from bothways.operations.certificates import revoke_certificate, show_certificate
from bothways.operations.closure import shut_endpoint
from bothways.operations.customers import remove_customer, suspend_customer
from bothways.operations.hub import OBSERVATIONS_FILE, Hub
from bothways.operations.observations import (
    SHOWN,
    Times,
    connections_seen,
    failed_calls,
    last_failures,
    list_observations,
    observe,
)
from bothways.operations.services import add_service, grant_service
from bothways.pki.chain import certificate_pem
from bothways.pki.revocation import RevocationReason
from bothways.registry.service import Service
from bothways.store import observations, schema
from bothways.store.certificates import StoredCertificate

VERIFY = "CERTIFICATE_VERIFY_FAILED:verify_cert_failed:_certificate_verification_error_at_depth_0:_"
Certify = Callable[[str], StoredCertificate]


@pytest.fixture
def failed(hub: Hub) -> FailedHandshake:
    return FailedHandshake(hub.now(), "192.0.2.1", "PEER_DID_NOT_RETURN_A_CERTIFICATE")


@pytest.fixture
def seen(hub: Hub) -> Callable[[Failure], Observation]:
    """Return a function that observes one failure, once."""

    def once(failure: Failure) -> Observation:
        [made] = observe(hub, {failure: Times(1, failure.at)})
        [stored] = list_observations(hub, limit=1)
        assert replace(stored, id=0) == made
        return stored

    return once


def presented(failed: FailedHandshake, certificate: x509.Certificate, why: str) -> FailedHandshake:
    return replace(failed, reason=VERIFY + why, certificate=quote(certificate_pem(certificate)))


def denied(hub: Hub, record: StoredCertificate, path: str = "/tokens") -> RefusedRequest:
    return RefusedRequest(
        hub.now(), "192.0.2.1", record.fingerprint or "", record.uri_id, 403, "rbac_access_denied", path=path
    )


def test_nothing_to_observe_is_nothing(hub: Hub) -> None:
    assert observe(hub, {}) == ()
    assert list_observations(hub) == ()


def test_a_certificate_on_record_is_its_customers_whoever_shows_it(
    hub: Hub, issuer: str, certify: Certify, failed: FailedHandshake, seen: Callable[[Failure], Observation]
) -> None:
    record = certify(issuer)
    revoke_certificate(hub, record.serial, RevocationReason.SUPERSEDED)
    certificate = x509.load_der_x509_certificate(record.der or b"")
    shown = replace(presented(failed, certificate, "certificate_revoked"), fingerprint=record.fingerprint or "")
    found = seen(shown)
    assert (found.tsp_id, found.matched_by) == (issuer, MatchedBy.CERTIFICATE)
    assert "replaced by a newer one" in found.finding.message


def test_a_forged_serial_number_and_a_forged_name_are_claims(
    issuer: str,
    certify: Certify,
    make_ca: Callable[..., Any],
    failed: FailedHandshake,
    seen: Callable[[Failure], Observation],
) -> None:
    original = x509.load_der_x509_certificate(certify(issuer).der or b"")
    key, foreign = make_ca("Foreign")
    names = original.extensions.get_extension_for_class(x509.SubjectAlternativeName)

    def forged(issuer_name: x509.Name) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(original.subject)
            .issuer_name(issuer_name)
            .public_key(key.public_key())
            .serial_number(original.serial_number)
            .not_valid_before(original.not_valid_before_utc)
            .not_valid_after(original.not_valid_after_utc)
            .add_extension(names.value, critical=False)
            .sign(key, SHA256())
        )

    found = seen(presented(failed, forged(original.issuer), "certificate_signature_failure"))
    assert (found.finding.id, found.tsp_id, found.matched_by) == ("INBOUND-CERTIFICATE-07", issuer, MatchedBy.SERIAL)
    found = seen(presented(failed, forged(foreign.subject), "unable_to_get_local_issuer_certificate"))
    assert (found.finding.id, found.tsp_id, found.matched_by) == ("INBOUND-CERTIFICATE-01", issuer, MatchedBy.SUBJECT)


def test_who_claims_to_be_nobody_that_there_is_is_nobody(
    make_ca: Callable[..., Any], failed: FailedHandshake, seen: Callable[[Failure], Observation]
) -> None:
    _, certificate = make_ca("TLSMA-ECDSA/99999999/PPR", make_ca("Foreign"), ca=False)
    found = seen(presented(failed, certificate, "unable_to_get_local_issuer_certificate"))
    assert (found.tsp_id, found.matched_by) == (None, None)


def test_an_address_tells_whose_it_was_unless_two_were_seen_there(
    hub: Hub,
    issuer: str,
    merchant: str,
    certify: Certify,
    failed: FailedHandshake,
    seen: Callable[[Failure], Observation],
) -> None:
    first, second = certify(issuer), certify(merchant)
    connections_seen(hub, [(first.fingerprint or "", "192.0.2.1"), ("unknown", "192.0.2.9")])
    found = seen(failed)
    assert (found.tsp_id, found.matched_by) == (issuer, MatchedBy.SOURCE)
    connections_seen(hub, [(second.fingerprint or "", "192.0.2.1")])
    assert seen(failed).tsp_id is None
    assert seen(replace(failed, source="192.0.2.9")).tsp_id is None


def test_a_refused_request_is_judged_by_what_is_stored(
    hub: Hub,
    issuer: str,
    certify: Certify,
    connect: Certify,
    seen: Callable[[Failure], Observation],
) -> None:
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:1"))
    record = certify(issuer)
    assert seen(denied(hub, record)).finding.id == "INBOUND-ACCESS-02"
    grant_service(hub, "tokens", issuer)
    assert seen(denied(hub, record)).finding.id == "INBOUND-ACCESS-03"
    connect(issuer)
    assert seen(denied(hub, record)).finding.id == "INBOUND-ACCESS-04"
    suspend_customer(hub, issuer, "tested")
    assert seen(denied(hub, record)).finding.id == "INBOUND-ACCESS-01"
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    found = seen(denied(hub, record))
    assert (found.finding.id, found.tsp_id, found.matched_by) == (
        "INBOUND-CERTIFICATE-05",
        issuer,
        MatchedBy.HANDSHAKE,
    )


def test_a_certificate_on_no_record_is_the_customers_that_our_ca_named_in_it(
    hub: Hub, issuer: str, certify: Certify, seen: Callable[[Failure], Observation]
) -> None:
    lost = replace(denied(hub, certify(issuer)), fingerprint="ab")
    found = seen(lost)
    assert (found.finding.id, found.tsp_id) == ("INBOUND-CERTIFICATE-08", issuer)
    assert seen(replace(lost, uri_id=f"urn:bothways:PRD:{issuer}:1")).tsp_id is None


def test_a_certificate_that_calls_services_is_seen_once_its_customers_inbound_flow_is_established(
    hub: Hub, issuer: str, certify: Certify, connect: Certify, audited: Audit
) -> None:
    first = certify(issuer)
    pair = (first.fingerprint or "", "192.0.2.1")
    connections_seen(hub, [pair])
    assert show_certificate(hub, first.serial).first_seen_at is None
    second = connect(issuer)
    connections_seen(hub, [pair])
    noted = show_certificate(hub, first.serial).seen_at
    assert noted is not None
    connections_seen(hub, [pair])
    assert show_certificate(hub, first.serial).seen_at == noted
    with hub.write() as transaction:
        earlier = noted - timedelta(hours=2)
        transaction.connection.execute(update(schema.certificate).values(seen_at=earlier))
    connections_seen(hub, [pair])
    again = show_certificate(hub, first.serial).seen_at
    assert again is not None
    assert again >= noted
    lines = [subject for action, subject in audited() if action == "certificate.seen"]
    assert lines == [second.serial, first.serial]


def test_a_certificate_that_opens_nothing_any_more_is_not_seen(
    hub: Hub, issuer: str, certify: Certify, connect: Certify
) -> None:
    record = certify(issuer)
    connect(issuer)
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    connections_seen(hub, [(record.fingerprint or "", "192.0.2.1")])
    assert show_certificate(hub, record.serial).seen_at is None


def test_observations_have_no_line_in_the_audit_and_wake_no_publisher(
    hub: Hub, issuer: str, failed: FailedHandshake, seen: Callable[[Failure], Observation], audited: Audit
) -> None:
    before = audited()
    with closing(hub.database.changes()) as changes:
        value = changes.value()
        seen(failed)
        assert changes.value() == value
        suspend_customer(hub, issuer, "tested")
        # PostgreSQL tells a listener when it comes to it.
        eventually(lambda: changes.value() != value)
    assert audited()[:-1] == before


def test_lists_are_of_all_of_one_and_of_nobody_and_of_no_customer_that_is_not_there(
    hub: Hub, issuer: str, certify: Certify, failed: FailedHandshake, seen: Callable[[Failure], Observation]
) -> None:
    seen(failed)
    seen(denied(hub, certify(issuer)))
    assert len(list_observations(hub)) == 2
    assert [each.tsp_id for each in list_observations(hub, issuer)] == [issuer]
    assert [each.tsp_id for each in list_observations(hub, unmatched=True)] == [None]
    assert failed_calls(hub) == {"customers": 1, "unmatched": 1}
    with pytest.raises(NotFound):
        list_observations(hub, "nobody")


def test_the_last_few_are_shown_where_they_are_not_the_matter(
    hub: Hub, issuer: str, certify: Certify, seen: Callable[[Failure], Observation]
) -> None:
    record = certify(issuer)
    for each in range(SHOWN + 2):
        seen(replace(denied(hub, record), status=404, details="direct_response", path=f"/{each}"))
    assert [each.finding.message for each in last_failures(hub, issuer)] == [
        f"no service stands at '/{each}'" for each in range(SHOWN + 1, 1, -1)
    ]


def test_a_removed_customers_observations_go_with_it(
    hub: Hub, issuer: str, certify: Certify, failed: FailedHandshake, seen: Callable[[Failure], Observation]
) -> None:
    record = certify(issuer)
    connections_seen(hub, [(record.fingerprint or "", "192.0.2.1")])
    seen(failed)
    remove_customer(hub, issuer, "tested")
    assert list_observations(hub) == ()
    with hub.observations.read() as connection:
        assert observations.customer_at(connection, "192.0.2.1") is None


@in_files
def test_a_file_that_cannot_be_used_keeps_nobody_from_anything_else(hub: Hub, issuer: str) -> None:
    (hub.directory / OBSERVATIONS_FILE).mkdir()
    assert failed_calls(hub) is None
    assert last_failures(hub, issuer) == ()
    remove_customer(hub, issuer, "tested")


def test_while_the_endpoint_is_shut_it_is_nobodys_mistake(
    hub: Hub, issuer: str, certify: Certify, seen: Callable[[Failure], Observation]
) -> None:
    record = certify(issuer)
    shut_endpoint(hub, "a stranger was let in")
    assert seen(denied(hub, record)).finding.id == "INBOUND-ACCESS-06"
