"""Certificates: finished after a crash with the same bytes, revoked once, and proof of the inbound flow when seen."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from tests.operations.conftest import Audit
from tests.stored_keys import keys_as, without_key

from bothways.errors import Conflict, NotFound, Refused, Unusable
from bothways.operations.certificates import (
    certificate_chain,
    certificate_seen,
    finish_certificate,
    list_certificates,
    revoke_certificate,
    show_certificate,
    withdraw_approval,
)
from bothways.operations.customers import resume_customer, show_customer, suspend_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, show_request, submit_request
from bothways.operations.revocation import current_list
from bothways.operations.upkeep import upkeep
from bothways.pki.revocation import RevocationReason
from bothways.signer.keys import Keys
from bothways.signer.signer import Signer
from bothways.store.certificates import StoredCertificate

Certify = Callable[[str], StoredCertificate]


def at(hub: Hub, moment: datetime) -> Hub:
    """Return the hub at another moment."""
    return replace(hub, now=lambda: moment)


@pytest.fixture
def unsigned(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> StoredCertificate:
    """What is left when the hub dies between decision and signature: its key was away."""
    number = submit_request(hub, issuer, make_csr()).id
    with without_key(hub) as dying, pytest.raises(Unusable):
        approve_request(dying, number)
    return list_certificates(hub)[0]


def test_what_was_approved_is_finished_with_the_same_serial_and_bytes(
    hub: Hub, unsigned: StoredCertificate, audited: Audit
) -> None:
    record = finish_certificate(hub, unsigned.serial)
    assert list_certificates(hub) == (record,)
    signed = x509.load_der_x509_certificate(record.der or b"")
    assert f"{signed.serial_number:x}" == unsigned.serial
    assert signed.tbs_certificate_bytes == unsigned.unsigned.der
    assert audited()[-1] == ("certificate.issue", unsigned.serial)


def test_finishing_again_changes_nothing(hub: Hub, unsigned: StoredCertificate, audited: Audit) -> None:
    first = finish_certificate(hub, unsigned.serial)
    before = audited()
    assert finish_certificate(hub, unsigned.serial) == first
    assert audited() == before


def test_an_unsigned_certificate_opens_nothing(hub: Hub, unsigned: StoredCertificate) -> None:
    assert hub_state(hub).identities == ()
    with pytest.raises(Unusable, match="not signed yet"):
        certificate_chain(hub, unsigned)


def test_a_certificate_that_is_revoked_before_it_is_signed_is_never_signed(
    hub: Hub, unsigned: StoredCertificate
) -> None:
    revoke_certificate(hub, unsigned.serial, RevocationReason.PRIVILEGE_WITHDRAWN)
    record = finish_certificate(hub, unsigned.serial)
    assert (record.der, record.state(hub.now())) == (None, "revoked")
    assert hub_state(hub).identities == ()
    with pytest.raises(Conflict, match="before it was signed"):
        certificate_chain(hub, record)


class Slow(Keys):
    """Keys with which a signature takes so long that the certificate is revoked meanwhile."""

    hub: Hub

    def signer_of(self, certificate: x509.Certificate, name: str) -> Signer:
        revoke_certificate(self.hub, list_certificates(self.hub)[0].serial, RevocationReason.KEY_COMPROMISE)
        return super().signer_of(certificate, name)


def test_a_signature_that_comes_after_the_revocation_is_thrown_away(
    hub: Hub, unsigned: StoredCertificate, audited: Audit
) -> None:
    keys = keys_as(Slow, hub)
    keys.hub = hub
    assert finish_certificate(replace(hub, keys=keys), unsigned.serial).der is None
    assert audited()[-1] == ("certificate.revoke", unsigned.serial)


def test_a_revoked_certificate_is_no_identity(hub: Hub, issuer: str, certify: Certify, audited: Audit) -> None:
    kept, lost = certify(issuer), certify(issuer)
    record = revoke_certificate(hub, lost.serial, RevocationReason.KEY_COMPROMISE)
    assert (record.revoked_reason, record.state(hub.now())) == ("keyCompromise", "revoked")
    assert [each.uri_id for each in hub_state(hub).identities] == [kept.uri_id]
    assert audited()[-1] == ("certificate.revoke", lost.serial)


def test_a_serial_in_capitals_is_the_same_serial(hub: Hub, issuer: str, certify: Certify) -> None:
    serial = certify(issuer).serial
    assert revoke_certificate(hub, serial.upper(), RevocationReason.SUPERSEDED).serial == serial
    assert show_certificate(hub, serial).revoked_at is not None


def test_revoking_twice_is_a_conflict_and_keeps_the_first_reason(hub: Hub, issuer: str, certify: Certify) -> None:
    serial = certify(issuer).serial
    revoke_certificate(hub, serial, RevocationReason.KEY_COMPROMISE)
    with pytest.raises(Conflict, match="revoked already"):
        revoke_certificate(hub, serial, RevocationReason.SUPERSEDED)
    assert show_certificate(hub, serial).revoked_reason == "keyCompromise"


def test_an_unknown_serial_is_not_found(hub: Hub) -> None:
    with pytest.raises(NotFound):
        show_certificate(hub, "abcd")
    with pytest.raises(NotFound):
        revoke_certificate(hub, "abcd", RevocationReason.SUPERSEDED)


def test_being_seen_establishes_the_inbound_flow(hub: Hub, issuer: str, certify: Certify, audited: Audit) -> None:
    certificate = certify(issuer)
    assert show_customer(hub, issuer).assessment.inbound.state == "in progress"
    before = certificate_seen(hub, certificate.fingerprint or "")
    assert before.seen_at is None
    assert show_customer(hub, issuer).assessment.inbound.state == "established"
    assert audited()[-1] == ("certificate.seen", certificate.serial)


def test_being_seen_is_written_once_a_minute_and_audited_once(
    hub: Hub, issuer: str, certify: Certify, audited: Audit
) -> None:
    certificate = certify(issuer)
    start = hub.now()
    digest = certificate.fingerprint or ""
    seen = []
    for seconds in (0, 30, 61):
        certificate_seen(at(hub, start + timedelta(seconds=seconds)), digest)
        seen.append(show_certificate(hub, certificate.serial).seen_at)
    assert seen == [start, start, start + timedelta(seconds=61)]
    assert [action for action, _ in audited()].count("certificate.seen") == 1


def test_a_foreign_fingerprint_proves_nothing(hub: Hub) -> None:
    with pytest.raises(NotFound):
        certificate_seen(hub, "0" * 64)


def test_a_customer_sees_its_own_certificates(hub: Hub, issuer: str, merchant: str, certify: Certify) -> None:
    mine, theirs = certify(issuer), certify(merchant)
    assert list_certificates(hub, issuer) == (mine,)
    assert list_certificates(hub) == (mine, theirs)


def test_a_withdrawn_approval_leaves_no_certificate_usable(
    hub: Hub, issuer: str, certify: Certify, audited: Audit
) -> None:
    record = certify(issuer)
    certificate_seen(hub, record.fingerprint or "")
    withdrawn = withdraw_approval(hub, record.request_id, "approved by mistake")
    assert (withdrawn.state(hub.now()), withdrawn.revoked_reason) == ("revoked", "privilegeWithdrawn")
    assert hub_state(hub).identities == ()
    assert audited()[-1] == ("request.withdraw", str(record.request_id))
    stored, _ = show_request(hub, record.request_id)
    assert (stored.state, stored.reason) == ("withdrawn", "approved by mistake")
    upkeep(hub)
    (listed,) = x509.load_der_x509_crl(current_list(hub).der)
    assert f"{listed.serial_number:x}" == record.serial


def test_an_approval_that_is_withdrawn_before_the_signature_gets_none(hub: Hub, unsigned: StoredCertificate) -> None:
    withdraw_approval(hub, unsigned.request_id, "a mistake")
    upkeep(hub)
    assert show_certificate(hub, unsigned.serial).der is None
    # Its serial number is on the list all the same: the key may have signed before its owner was killed.
    (listed,) = x509.load_der_x509_crl(current_list(hub).der)
    assert f"{listed.serial_number:x}" == unsigned.serial


def test_a_withdrawn_approval_keeps_its_key_and_is_final(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes], ecdsa_key: object
) -> None:
    request = make_csr(ecdsa_key)
    number = submit_request(hub, issuer, request).id
    with pytest.raises(Conflict, match="no approval to withdraw"):
        withdraw_approval(hub, number, "too early")
    approve_request(hub, number)
    withdraw_approval(hub, number, "approved by mistake")
    for step in (withdraw_approval, lambda *_: approve_request(hub, number)):
        with pytest.raises(Conflict, match="withdrawn"):
            step(hub, number, "again")
    with pytest.raises(Conflict, match="approved by mistake"):
        submit_request(hub, issuer, request)
    with pytest.raises(Refused, match="CSR-KEY-03"):
        submit_request(hub, issuer, make_csr(ecdsa_key, L="Lyon"))


def test_withdrawing_keeps_an_earlier_revocation(hub: Hub, issuer: str, certify: Certify) -> None:
    record = certify(issuer)
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    assert withdraw_approval(hub, record.request_id, "a mistake").revoked_reason == "keyCompromise"


def test_a_certificate_that_is_approved_for_a_suspended_customer_opens_nothing_until_it_is_resumed(
    hub: Hub, issuer: str, certify: Certify
) -> None:
    suspend_customer(hub, issuer, "tested")
    record = certify(issuer)
    assert hub_state(hub).identities == ()
    resume_customer(hub, issuer)
    assert [each.uri_id for each in hub_state(hub).identities] == [record.uri_id]
