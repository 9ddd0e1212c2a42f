"""Customers' certificates: sign what was approved, list, show, revoke, withdraw, and remember when one was in use."""

from datetime import timedelta

from cryptography import x509

from bothways.errors import Conflict, Unusable
from bothways.operations.hub import Hub
from bothways.operations.issuing import sign_reserved
from bothways.operations.keys import record_compromise
from bothways.pki.chain import certificate_pem
from bothways.pki.revocation import RevocationReason
from bothways.store import authorities, certificates, requests
from bothways.store.certificates import StoredCertificate
from bothways.store.requests import RequestState

_SEEN_AGAIN = timedelta(minutes=1)


def finish_certificate(hub: Hub, serial: str) -> StoredCertificate:
    """Sign the stored bytes of an approved certificate, and store the signature; safe to repeat.

    What was revoked before it was signed is never signed.
    """
    with hub.read() as connection:
        record = certificates.find(connection, serial)
    return sign_reserved(hub, (record,))[0]


def certificate_chain(hub: Hub, record: StoredCertificate) -> str:
    """Return the certificate and its issuing CA in PEM, end entity first: what the customer installs as `tls.crt`."""
    if record.der is None and record.revoked_at is not None:
        raise Conflict(f"certificate {record.serial} was revoked before it was signed: there is none.")
    if record.der is None:
        raise Unusable(f"certificate {record.serial} is not signed yet. Start the hub, which finishes it.")
    with hub.read() as connection:
        authority = authorities.authority_by_id(connection, record.authority_id)
    return certificate_pem(x509.load_der_x509_certificate(record.der)) + certificate_pem(authority.certificate)


def list_certificates(
    hub: Hub, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[StoredCertificate, ...]:
    """Return certificates, of all customers or of one, in the order of their requests, after a request's number."""
    with hub.read() as connection:
        return certificates.every(connection, tsp_id, after, limit)


def show_certificate(hub: Hub, serial: str) -> StoredCertificate:
    """Return a certificate by its serial number in hex. Raises `NotFound`."""
    with hub.read() as connection:
        return certificates.find(connection, serial)


def revoke_certificate(hub: Hub, serial: str, reason: RevocationReason) -> StoredCertificate:
    """Revoke a certificate: from the next push on, no request with it passes, on open connections neither.

    With the reason keyCompromise, its key is banned for good, for everybody.
    """
    with hub.write() as transaction:
        record = certificates.find(transaction.connection, serial)
        if record.revoked_at is not None:
            raise Conflict(f"certificate {serial} was revoked already, on {record.revoked_at:%Y-%m-%d %H:%M} UTC.")
        if reason is RevocationReason.KEY_COMPROMISE:
            pin = requests.find(transaction.connection, record.request_id).request.spki_pin
            record_compromise(transaction, record, pin)
        certificates.revoke(transaction, record.serial, reason)
        transaction.audit("certificate.revoke", record.serial, customer=record.tsp_id, reason=reason.value)
        return certificates.find(transaction.connection, record.serial)


def withdraw_approval(hub: Hub, number: int, reason: str) -> StoredCertificate:
    """Withdraw the approval of a request: no certificate of it stays usable, signed or not, handed out or not.

    Before the signature there will be none; after it, it is revoked (privilegeWithdrawn): out of the map at the next
    push, and on the CRL. Final: its key stays taken. Raises `NotFound`, `Conflict` if the request is not approved.
    """
    with hub.write() as transaction:
        stored = requests.find(transaction.connection, number)
        record = certificates.by_request(transaction.connection, number)
        if stored.state is not RequestState.APPROVED or record is None:
            raise Conflict(
                f"request {number} is {stored.state.value}: there is no approval to withdraw.",
                f"Look at: bothways request show {number}",
            )
        if record.revoked_at is None:
            certificates.revoke(transaction, record.serial, RevocationReason.PRIVILEGE_WITHDRAWN)
        requests.decide(transaction, number, RequestState.WITHDRAWN, reason)
        transaction.audit("request.withdraw", str(number), customer=stored.tsp_id, serial=record.serial, reason=reason)
        return certificates.find(transaction.connection, record.serial)


def certificate_seen(hub: Hub, digest: str) -> StoredCertificate:
    """Record that the certificate with this fingerprint came through the endpoint: the proof of the inbound flow (R2).

    Written at most once a minute for each certificate. Raises `NotFound`.
    """
    with hub.read() as connection:
        record = certificates.by_fingerprint(connection, digest)
    if record.seen_at is None or hub.now() - record.seen_at > _SEEN_AGAIN:
        with hub.write() as transaction:
            certificates.see(transaction, record.serial)
            if record.seen_at is None:
                transaction.audit("certificate.seen", record.serial, customer=record.tsp_id)
    return record
