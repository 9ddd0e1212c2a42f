"""Enrolment by the customer's own software (EST, RFC 7030): one-time passwords, `enroll` and `reenroll`."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from cryptography import x509

from bothways.errors import Conflict, NotAuthorized, Refused
from bothways.findings import Finding
from bothways.operations import two_people
from bothways.operations.hub import Hub
from bothways.operations.issuing import sign_reserved
from bothways.operations.renewal import record_renewal
from bothways.operations.requests import approve_all, proved, submitted
from bothways.pki.est import same_subject
from bothways.store import certificates, customers, enrolments, requests
from bothways.store.certificates import StoredCertificate
from bothways.store.enrolments import Enrolment
from bothways.store.requests import RequestState, StoredRequest

PASSWORD_DAYS = 7
_PASSWORD_BYTES = 24
_SALT_BYTES = 16
_WORK, _BLOCK, _PARALLEL = 1 << 14, 8, 1
_SUBJECT = "the request"
_REFUSED = (
    "the customer or the one-time password is wrong, or the password has ended or was used. Ask the hub for a new one."
)


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of a request: its certificate, or None while it waits for review."""

    request: int
    certificate: StoredCertificate | None


def enrolment_password(hub: Hub, tsp_id: str, days: int = PASSWORD_DAYS) -> str:
    """Make a customer's one-time password, in place of the one before; only its digest is stored. Raises `NotFound`."""
    password, salt = secrets.token_urlsafe(_PASSWORD_BYTES), secrets.token_bytes(_SALT_BYTES)
    digest = _digest(password, salt)
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        end = transaction.now + timedelta(days=days)
        enrolments.put(transaction, Enrolment(tsp_id, salt, digest, end))
        transaction.audit("enrolment.password", tsp_id, expires=end.isoformat())
    return password


def enroll(hub: Hub, tsp_id: str, password: str, data: bytes) -> Enrolled:
    """Submit a customer's request with its one-time password; the same request again asks what became of it.

    The password is used up by a request that keeps the rules, and by no other. Raises `NotAuthorized`, `Refused`, and
    `Conflict` if a person refused the request.
    """
    hub = _as_customer(hub, tsp_id)
    with hub.read() as connection:
        known = enrolments.find(connection, tsp_id)
    # Without a password to compare with, the same work is done, so that time does not tell who is a customer.
    expected = known or Enrolment(tsp_id, b"\0" * _SALT_BYTES, b"", hub.now())
    if not hmac.compare_digest(_digest(password, expected.salt), expected.digest) or known is None:
        raise NotAuthorized(_REFUSED)
    parsed = proved(hub, tsp_id, data, _SUBJECT)
    with hub.write() as transaction:
        current = enrolments.find(transaction.connection, tsp_id)
        if current is None or current.digest != known.digest:
            raise NotAuthorized(_REFUSED)
        if customers.find(transaction.connection, tsp_id).suspended:
            raise NotAuthorized("the customer is suspended. Ask the hub why.")
        if current.request_id is None:
            if transaction.now >= current.expires_at:
                raise NotAuthorized(_REFUSED)
            stored = submitted(hub, transaction, tsp_id, parsed, _SUBJECT)
            enrolments.use(transaction, tsp_id, stored.id)
        else:
            stored = requests.find(transaction.connection, current.request_id)
            if stored.request.fingerprint != parsed.fingerprint:
                raise NotAuthorized(_REFUSED)
    # Whoever made the password is one person: where it takes two, they do not get a certificate by it alone.
    return _enrolled(hub, stored, unseen=hub.settings.danger_enrolment_without_review and not two_people.required(hub))


def reenroll(hub: Hub, tsp_id: str, fingerprint: str, data: bytes) -> Enrolled:
    """Submit the request of a customer who shows its certificate, named by its fingerprint; the subject stays the same.

    The current certificate stays valid until the new one was in use for the overlap of the contract. Raises as `enroll`
    does.
    """
    hub = _as_customer(hub, tsp_id)
    parsed = proved(hub, tsp_id, data, _SUBJECT)
    with hub.write() as transaction:
        current = _shown(hub, certificates.by_fingerprint(transaction.connection, fingerprint), tsp_id)
        subject = x509.load_der_x509_certificate(current.der or b"").subject
        if not same_subject(parsed.subject, subject):
            message = (
                f"the subject is {parsed.subject.rfc4514_string()}, the certificate's is {subject.rfc4514_string()}"
            )
            hint = "Make the request with the subject of the current certificate, and with a new key."
            raise Refused((Finding("EST-SUBJECT-01", message, hint, "RFC 7030 section 4.2.2", _SUBJECT),))
        stored = submitted(hub, transaction, tsp_id, parsed, _SUBJECT)
        record_renewal(transaction, stored, current.serial)
    return _enrolled(hub, stored, unseen=hub.settings.danger_enrolment_without_review)


def _as_customer(hub: Hub, tsp_id: str) -> Hub:
    """Return the hub in the name of the customer's software, for the audit."""
    return replace(hub, actor=f"{two_people.BY_EST}{tsp_id}")


def _shown(hub: Hub, current: StoredCertificate, tsp_id: str) -> StoredCertificate:
    # Envoy lets nobody else through; what was revoked a moment ago must not renew itself either.
    if current.tsp_id != tsp_id or not current.usable(hub.now()):
        raise NotAuthorized("the certificate that was shown is not valid any more. Enroll with a one-time password.")
    return current


def _enrolled(hub: Hub, stored: StoredRequest, *, unseen: bool) -> Enrolled:
    if stored.state is RequestState.REFUSED:
        raise Conflict(f"the request was refused: {stored.reason}. Make a new one that mends it.")
    if stored.state is RequestState.SUBMITTED and unseen:
        # What the rules warn of waits for a person all the same.
        list(approve_all(hub, (stored.id,), strict=True, danger_without_people=True))
    with hub.read() as connection:
        record = certificates.of_requests(connection, (stored.id,)).get(stored.id)
    if record is None:
        return Enrolled(stored.id, None)
    [signed] = sign_reserved(hub, (record,))
    if signed.revoked_at is not None:
        raise Conflict("the certificate of this request was revoked. Make a new key, and a request for it.")
    return Enrolled(stored.id, signed)


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_WORK, r=_BLOCK, p=_PARALLEL)
