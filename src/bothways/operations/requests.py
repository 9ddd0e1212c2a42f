"""Certification requests: submit, list, show, approve, refuse. Approval is what makes a certificate."""

from datetime import timedelta

from bothways.errors import Conflict, Refused
from bothways.findings import Finding, errors
from bothways.operations.certificates import finish_certificate
from bothways.operations.hub import Hub, serial_number
from bothways.pki import issue, profile
from bothways.pki.issue import Unsigned
from bothways.pki.keys import spki_pin
from bothways.pki.request import CertificationRequest
from bothways.pki.rules import Applicant, judge_request, request_findings
from bothways.store import authorities, certificates, customers, requests
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate
from bothways.store.database import Transaction
from bothways.store.requests import RequestState, StoredRequest


def submit_request(hub: Hub, tsp_id: str, data: bytes, subject: str = "request") -> StoredRequest:
    """Take a customer's request (PEM or DER) under review; the same bytes again are the same request.

    Raises `Refused` with every finding if it breaks a rule; nothing is stored then.
    """
    parsed = _proved(hub, tsp_id, data, subject)
    with hub.write() as transaction:
        if findings := errors(judge(hub, transaction, tsp_id, parsed, subject)):
            raise Refused(findings)
        known = requests.same(transaction.connection, parsed)
        if known and known.state is not RequestState.REFUSED:
            return known
        if known:
            raise Conflict(f"this request was refused already: {known.reason}. Make a new one that mends it.")
        number = requests.add(transaction, tsp_id, parsed)
        transaction.audit("request.submit", str(number), customer=tsp_id, fingerprint=parsed.fingerprint)
        return requests.find(transaction.connection, number)


def judge(
    hub: Hub, transaction: Transaction, tsp_id: str, parsed: CertificationRequest, subject: str
) -> tuple[Finding, ...]:
    """Return what the rules and the registry say about a request of this customer."""
    customer = customers.find(transaction.connection, tsp_id)
    findings = request_findings(parsed, Applicant(tsp_id, hub.terms, customer.organization), subject)
    holder = requests.key_in_use(transaction.connection, parsed.spki_pin)
    own = {spki_pin(each.certificate.public_key()) for each in authorities.every_authority(transaction.connection)}
    # Who holds the key is not said: it is nobody's business but theirs.
    if parsed.spki_pin in own or (holder and (holder.tsp_id, holder.request.der) != (tsp_id, parsed.der)):
        message = "the key is in use already, in another request or certificate"
        findings += (Finding("CSR-KEY-03", message, "Make a new key, and a request for it.", "R7", subject),)
    issuer = authorities.signing_authority(transaction.connection, Role.ISSUING).certificate
    end = transaction.now + timedelta(days=hub.terms.certificate.validity_days)
    return findings + issue.cap_findings(issuer, end, subject)


def list_requests(hub: Hub, tsp_id: str | None = None) -> tuple[StoredRequest, ...]:
    """Return all requests, or those of one customer, oldest first."""
    with hub.read() as connection:
        return requests.every(connection, tsp_id)


def show_request(hub: Hub, number: int) -> tuple[StoredRequest, tuple[Finding, ...]]:
    """Return a request, with what the rules say about it now. Raises `NotFound`."""
    with hub.write() as transaction:
        stored = requests.find(transaction.connection, number)
        return stored, judge(hub, transaction, stored.tsp_id, stored.request, f"request {number}")


def approve_request(hub: Hub, number: int) -> StoredCertificate:
    """Approve a request, and issue its certificate (R6).

    The decision, the serial number and the bytes to be signed are on disk before the key signs them: whatever dies in
    between, the same bytes are signed later, and no serial number is used twice.
    """
    with hub.write() as transaction:
        stored = requests.find(transaction.connection, number)
        if stored.state is not RequestState.SUBMITTED:
            raise Conflict(f"request {number} is {stored.state.value} already. Look at: bothways request show {number}")
        findings = judge(hub, transaction, stored.tsp_id, stored.request, f"request {number}")
        if mistakes := errors(findings):
            raise Refused(mistakes)
        record = _reserved(hub, transaction, stored)
        certificates.reserve(transaction, record)
        requests.decide(transaction, number, RequestState.APPROVED)
        transaction.audit("request.approve", str(number), customer=stored.tsp_id, serial=record.serial)
    return finish_certificate(hub, record.serial)


def refuse_request(hub: Hub, number: int, reason: str) -> None:
    """Refuse a request, with a reason that the customer will read. Raises `Conflict` if it was decided already."""
    with hub.write() as transaction:
        stored = requests.find(transaction.connection, number)
        if stored.state is not RequestState.SUBMITTED:
            raise Conflict(f"request {number} is {stored.state.value} already. Look at: bothways request show {number}")
        requests.decide(transaction, number, RequestState.REFUSED, reason)
        transaction.audit("request.refuse", str(number), customer=stored.tsp_id, reason=reason)


def _proved(hub: Hub, tsp_id: str, data: bytes, subject: str) -> CertificationRequest:
    """Return the request if its sender holds the key; raise `Refused` with that and everything else that is wrong."""
    with hub.read() as connection:
        customer = customers.find(connection, tsp_id)
    judgement = judge_request(data, Applicant(tsp_id, hub.terms, customer.organization), subject)
    if judgement.request is None:
        raise Refused(errors(judgement.findings))
    return judgement.request


def _reserved(hub: Hub, transaction: Transaction, stored: StoredRequest) -> StoredCertificate:
    authority = authorities.signing_authority(transaction.connection, Role.ISSUING)
    serial = serial_number()
    wanted = profile.customer_client(
        stored.request,
        hub.environment,
        stored.tsp_id,
        serial,
        transaction.now,
        timedelta(days=hub.terms.certificate.validity_days),
        hub.settings.crl_url or None,
    )
    unsigned: Unsigned = issue.issued_by(authority.certificate, wanted, serial)
    return StoredCertificate(
        serial=f"{serial:x}",
        request_id=stored.id,
        tsp_id=stored.tsp_id,
        authority_id=authority.id,
        uri_id=profile.uri_id(hub.environment, stored.tsp_id, serial),
        unsigned=unsigned,
        der=None,
        fingerprint=None,
        not_before=wanted.not_before,
        not_after=min(wanted.not_after, authority.certificate.not_valid_after_utc),
        revoked_at=None,
        revoked_reason=None,
        seen_at=None,
    )
