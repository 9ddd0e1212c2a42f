"""Enrolment: a one-time password brings one request, and only its owner hears what became of it."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import select, update
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotAuthorized, NotFound, Refused
from bothways.operations import enrolment
from bothways.operations.audit import export_audit
from bothways.operations.certificates import certificate_seen, list_certificates, revoke_certificate
from bothways.operations.customers import resume_customer, suspend_customer
from bothways.operations.enrolment import Enrolled, enroll, enrolment_password, reenroll
from bothways.operations.hub import Hub
from bothways.operations.renewal import supersessions
from bothways.operations.requests import approve_all, approve_request, list_requests, refuse_request, submit_request
from bothways.operations.settings import TwoPeople
from bothways.pki.revocation import RevocationReason
from bothways.store import enrolments, schema
from bothways.store.certificates import StoredCertificate

Csr = Callable[..., bytes]
Certify = Callable[[str], StoredCertificate]


@pytest.fixture
def trusting(hub: Hub) -> Hub:
    """The hub with the setting that issues without review."""
    return replace(hub, settings=replace(hub.settings, danger_enrolment_without_review=True))


def test_a_request_waits_for_review_and_the_same_request_gets_the_certificate(
    hub: Hub, issuer: str, make_csr: Csr, audited: Audit
) -> None:
    password, csr = enrolment_password(hub, issuer), make_csr()
    waiting = enroll(hub, issuer, password, csr)
    assert (waiting.certificate, enroll(hub, issuer, password, csr)) == (None, waiting)
    record = approve_request(hub, waiting.request)
    assert enroll(hub, issuer, password, csr) == Enrolled(waiting.request, record)
    # The password has ended meanwhile; whoever has used it may still ask.
    later = replace(hub, now=lambda: hub.now() + timedelta(days=30))
    assert enroll(later, issuer, password, csr).certificate == record
    assert ("enrolment.password", issuer) in audited()
    assert [action for action, _ in audited()].count("request.submit") == 1


def test_without_review_the_certificate_comes_at_once_unless_the_rules_warn(
    trusting: Hub, issuer: str, make_csr: Csr
) -> None:
    done = enroll(trusting, issuer, enrolment_password(trusting, issuer), make_csr())
    assert (done.certificate,) == list_certificates(trusting)
    warned = make_csr(O="Another Bank")
    assert enroll(trusting, issuer, enrolment_password(trusting, issuer), warned).certificate is None


def test_where_it_takes_two_people_a_password_alone_brings_no_certificate_and_a_renewal_does(
    trusting: Hub, issuer: str, make_csr: Csr
) -> None:
    strict = replace(trusting, settings=replace(trusting.settings, two_people=TwoPeople.ALWAYS))
    waiting = enroll(strict, issuer, enrolment_password(strict, issuer), make_csr())
    assert waiting.certificate is None
    for actor in ("ann", "bob"):
        list(approve_all(replace(strict, actor=actor), (waiting.request,)))
    [first] = list_certificates(strict)
    # Two people have approved the certificate with which the customer's software asks for the next one.
    assert reenroll(strict, issuer, first.fingerprint or "", make_csr()).certificate is not None


@pytest.mark.usefixtures("full_work")
def test_to_try_a_password_stays_as_dear_as_it_is(hub: Hub, issuer: str, make_csr: Csr) -> None:
    password = enrolment_password(hub, issuer)
    with hub.read() as connection:
        kept = enrolments.find(connection, issuer)
    assert kept is not None
    assert kept.digest == hashlib.scrypt(password.encode(), salt=kept.salt, n=1 << 14, r=8, p=1)
    assert enroll(hub, issuer, password, make_csr()).request


def test_in_the_audit_it_is_the_customers_software_that_asks(hub: Hub, issuer: str, make_csr: Csr) -> None:
    enroll(hub, issuer, enrolment_password(hub, issuer), make_csr())
    [actor] = [each["actor"] for each in export_audit(hub) if each["action"] == "request.submit"]
    assert actor == f"est:{issuer}"


def test_a_password_is_for_one_request_of_one_customer_until_its_end(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, digested, digest = set(), [], enrolment._digest

    def noted(password: str, salt: bytes) -> bytes:
        digested.append(password)
        return digest(password, salt)

    old, password = enrolment_password(hub, issuer), enrolment_password(hub, issuer, days=1)
    ended = replace(hub, now=lambda: hub.now() + timedelta(days=1, seconds=1))
    monkeypatch.setattr(enrolment, "_digest", noted)
    for where, who, what in (
        (hub, issuer, old),
        (hub, issuer, ""),
        (hub, issuer, password[:-1]),
        (hub, merchant, password),
        (hub, "nobody", password),
        (ended, issuer, password),
    ):
        with pytest.raises(NotAuthorized) as refused:
            enroll(where, who, what, make_csr())
        said.add(str(refused.value))
    # In the same words and with the same work, whoever it is and whatever is wrong.
    assert (len(said), digested) == (1, [old, "", password[:-1], password, password, password])
    assert list_requests(hub) == ()
    with pytest.raises(Refused):
        enroll(hub, issuer, password, make_csr(CN="TLSMA-ECDSA/12345678/PRD"))
    assert enroll(hub, issuer, password, make_csr()).request == 1
    with pytest.raises(NotAuthorized):
        enroll(hub, issuer, password, make_csr())
    assert len(list_requests(hub)) == 1


def test_a_password_that_two_use_at_once_brings_one_request(hub: Hub, issuer: str, make_csr: Csr) -> None:
    password = enrolment_password(hub, issuer)

    def one(csr: bytes) -> int:
        try:
            return enroll(hub, issuer, password, csr).request
        except NotAuthorized:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, [make_csr() for _ in range(8)])) == [0] * 7 + [1]


def test_the_password_is_stored_nowhere(hub: Hub, issuer: str) -> None:
    password = enrolment_password(hub, issuer)
    with hub.read() as connection:
        row = connection.execute(select(schema.enrolment)).one()
        details = "".join(connection.scalars(select(schema.audit.c.detail)))
    assert password.encode() not in (row.salt, row.digest)
    assert password not in details
    assert all(password.encode() not in path.read_bytes() for path in hub.directory.glob("hub.db*"))


def test_what_cannot_be_enrolled_is_said(hub: Hub, issuer: str, make_csr: Csr) -> None:
    with pytest.raises(NotFound):
        enrolment_password(hub, "nobody")
    password, csr = enrolment_password(hub, issuer), make_csr()
    suspend_customer(hub, issuer, "tested")
    with pytest.raises(NotAuthorized, match="suspended"):
        enroll(hub, issuer, password, csr)
    resume_customer(hub, issuer)
    refuse_request(hub, enroll(hub, issuer, password, csr).request, "the phone number does not answer")
    with pytest.raises(Conflict, match="the phone number does not answer"):
        enroll(hub, issuer, password, csr)


def test_a_renewal_keeps_the_subject_and_the_old_certificate(
    hub: Hub, trusting: Hub, issuer: str, make_csr: Csr, certify: Certify, audited: Audit
) -> None:
    old = certify(issuer)
    csr = make_csr()
    waiting = reenroll(hub, issuer, old.fingerprint or "", csr)
    assert waiting.certificate is None
    assert reenroll(trusting, issuer, old.fingerprint or "", csr).certificate == list_certificates(hub)[1]
    assert all(each.usable(hub.now()) for each in list_certificates(hub))
    certificate_seen(hub, list_certificates(hub)[1].fingerprint or "")
    assert [*supersessions(hub)] == [old.serial]
    assert [line for line in audited() if line[0] == "request.renews"] == [("request.renews", str(waiting.request))]
    other = make_csr(OU="Another unit")
    with pytest.raises(Refused, match="the certificate's is") as refused:
        reenroll(hub, issuer, old.fingerprint or "", other)
    assert [finding.id for finding in refused.value.findings] == ["EST-SUBJECT-01"]


def test_only_a_valid_certificate_of_this_customer_renews(
    hub: Hub, issuer: str, merchant: str, make_csr: Csr, certify: Certify
) -> None:
    old = certify(issuer)
    with pytest.raises(NotAuthorized):
        reenroll(hub, merchant, old.fingerprint or "", make_csr())
    with pytest.raises(NotFound):
        reenroll(hub, issuer, "f" * 64, make_csr())
    revoke_certificate(hub, old.serial, RevocationReason.KEY_COMPROMISE)
    with pytest.raises(NotAuthorized, match="not valid any more"):
        reenroll(hub, issuer, old.fingerprint or "", make_csr())
    assert len(list_requests(hub)) == 1


def test_an_approval_that_was_cut_off_is_finished_for_who_asks(hub: Hub, issuer: str, make_csr: Csr) -> None:
    password, csr = enrolment_password(hub, issuer), make_csr()
    record = approve_request(hub, enroll(hub, issuer, password, csr).request)
    with hub.write() as transaction:
        transaction.connection.execute(update(schema.certificate).values(der=None, fingerprint=None))
    finished = enroll(hub, issuer, password, csr).certificate
    assert finished is not None
    assert finished.serial == record.serial
    assert x509.load_der_x509_certificate(finished.der or b"").tbs_certificate_bytes == record.unsigned.der


def test_the_certificate_of_a_revoked_enrolment_is_not_given_again(hub: Hub, issuer: str, make_csr: Csr) -> None:
    password, csr = enrolment_password(hub, issuer), make_csr()
    record = approve_request(hub, enroll(hub, issuer, password, csr).request)
    revoke_certificate(hub, record.serial, RevocationReason.KEY_COMPROMISE)
    with pytest.raises(Conflict, match="was revoked"):
        enroll(hub, issuer, password, csr)
    with pytest.raises(Refused, match="CSR-KEY-10"):
        submit_request(hub, issuer, csr)
