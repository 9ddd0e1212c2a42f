"""The client certificate that a customer's own CA signs for the hub (R13): request, install, show, remove."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlalchemy import Connection

from bothways.contract.document import KeyType
from bothways.contract.subject import attribute_mistakes
from bothways.errors import Conflict, NotFound, Refused
from bothways.findings import Finding
from bothways.operations.hub import Hub
from bothways.operations.own_keys import store_key
from bothways.pki.chain import fingerprint
from bothways.pki.encoding import pem
from bothways.pki.keys import described, spki_pin
from bothways.pki.profile import hub_client
from bothways.pki.returned import Returned, judge_returned, read_returned
from bothways.pki.rules import SUBJECT
from bothways.store import customer_credentials, customers, holds
from bothways.store.customer_credentials import CredentialState, CustomerCredential


@dataclass(frozen=True, slots=True)
class Installable:
    """A certificate that came back and passed the rules: for which key of the hub, and what is to be said about it."""

    credential: CustomerCredential
    returned: Returned


def request_credential(
    hub: Hub, tsp_id: str, attributes: Mapping[str, str], kind: KeyType = KeyType.ECDSA, *, again: bool = False
) -> CustomerCredential:
    """Make a new key for this customer alone, and the request that its CA signs; what is shown now stays as it is.

    `attributes` are those of the subject that the customer asks for, by their short names; without any, it is that of
    the hub's own certificate. `again` gives up a request that waits. Raises `Refused`, `Conflict` if one waits.
    """
    if mistakes := [each for name, value in attributes.items() for each in attribute_mistakes(name, value)]:
        hint = "Give another value for it."
        raise Refused(tuple(Finding("CSR-SUBJECT-02", each, hint, "R13; RFC 5280 appendix A.1") for each in mistakes))
    with hub.read() as connection:
        customers.find(connection, tsp_id)
        _require_none_waits(connection, tsp_id, again=again)
    # Before the transaction: an RSA key takes seconds.
    key = hub.keys.generate(f"customer-client-{secrets.token_hex(8)}", kind)
    chosen = [x509.NameAttribute(SUBJECT[each], attributes[each]) for each in SUBJECT if each in attributes]
    subject = (
        x509.Name(chosen) if chosen else hub_client(hub.terms.hub, hub.environment, key.public_key, hub.now()).subject
    )
    request = hub.keys.request(
        key.name,
        subject,
        (
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]),
            x509.SubjectAlternativeName([x509.DNSName(hub.terms.hub)]),
        ),
    )
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        _require_none_waits(transaction.connection, tsp_id, again=again)
        if waiting := customer_credentials.in_state(transaction.connection, tsp_id, CredentialState.REQUESTED):
            customer_credentials.end(transaction, waiting.id, CredentialState.REMOVED, "another request was made")
        number = customer_credentials.add(transaction, tsp_id, store_key(transaction, key), request)
        transaction.audit("outbound.csr", tsp_id, number=number, spki=spki_pin(key.public_key))
        return _find(transaction.connection, tsp_id, number)


def read_credential(hub: Hub, tsp_id: str, data: bytes, subject: str = "certificate") -> Installable:
    """Return what `install_credential` would install, and install nothing. Raises as that does."""
    found = read_returned(data, subject)
    with hub.read() as connection:
        return _installable(connection, hub, tsp_id, found, subject)


def install_credential(hub: Hub, tsp_id: str, data: bytes, subject: str = "certificate") -> Installable:
    """Have this customer, and nobody else, shown the certificate that its CA made of the request that waits.

    One for the key in use replaces its chain. What was shown before is superseded. Raises `Refused` with every finding,
    `NotFound` if there is no request.
    """
    found = read_returned(data, subject)
    with hub.write() as transaction:
        one = _installable(transaction.connection, hub, tsp_id, found, subject)
        before = customer_credentials.in_state(transaction.connection, tsp_id, CredentialState.ACTIVE)
        if before and before.id != one.credential.id:
            customer_credentials.end(transaction, before.id, CredentialState.SUPERSEDED, "the next one was installed")
        customer_credentials.install(transaction, one.credential.id, one.returned.chain)
        # What it took or did not take of the hub's own says nothing any more.
        holds.release(transaction, tsp_id)
        certificate = one.returned.chain[0]
        transaction.audit(
            "outbound.install",
            tsp_id,
            number=one.credential.id,
            before=before and fingerprint(x509.load_pem_x509_certificate(before.chain.encode())),
            fingerprint=fingerprint(certificate),
            serial=f"{certificate.serial_number:x}",
            until=certificate.not_valid_after_utc.isoformat(),
        )
        return Installable(_find(transaction.connection, tsp_id, one.credential.id), one.returned)


def show_credentials(hub: Hub, tsp_id: str) -> tuple[CustomerCredential, ...]:
    """Return all that were requested for this customer, oldest first. Raises `NotFound` for an unknown customer."""
    with hub.read() as connection:
        customers.find(connection, tsp_id)
        return customer_credentials.every(connection, tsp_id)


def remove_credential(hub: Hub, tsp_id: str, reason: str) -> None:
    """Go back to the hub's own certificate towards this customer, and give up a request that waits.

    The one way back: a certificate that has ended or was revoked by its CA is shown until somebody decides. Raises
    `NotFound` if there is nothing to remove.
    """
    with hub.write() as transaction:
        found = [
            each
            for state in (CredentialState.REQUESTED, CredentialState.ACTIVE)
            if (each := customer_credentials.in_state(transaction.connection, tsp_id, state))
        ]
        if not found:
            raise _none(tsp_id)
        for each in found:
            customer_credentials.end(transaction, each.id, CredentialState.REMOVED, reason)
            transaction.audit("outbound.remove", tsp_id, number=each.id, state=each.state.value, reason=reason)


def credential_document(credential: CustomerCredential) -> dict[str, Any]:
    """Return one as the JSON object that the command line shows; the request and the chain are PEM."""
    request = x509.load_der_x509_csr(credential.request)
    found: dict[str, Any] = {
        "id": credential.id,
        "customer": credential.tsp_id,
        "state": credential.state.value,
        "subject": request.subject.rfc4514_string(),
        "key": described(request.public_key()),
        "spki_pin": spki_pin(request.public_key()),
        "requested_at": credential.requested_at.isoformat(),
        "requested_by": credential.requested_by,
        "installed_at": credential.installed_at and credential.installed_at.isoformat(),
        "installed_by": credential.installed_by,
        "ended_at": credential.ended_at and credential.ended_at.isoformat(),
        "ended_by": credential.ended_by,
        "reason": credential.reason,
        "request": pem("CERTIFICATE REQUEST", credential.request),
        "certificate": None,
        "chain": credential.chain or None,
    }
    if credential.chain:
        certificate = x509.load_pem_x509_certificate(credential.chain.encode())
        found["certificate"] = {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "serial": f"{certificate.serial_number:x}",
            "fingerprint": fingerprint(certificate),
            "not_before": certificate.not_valid_before_utc.isoformat(),
            "not_after": certificate.not_valid_after_utc.isoformat(),
        }
    return found


def _installable(
    connection: Connection, hub: Hub, tsp_id: str, found: tuple[x509.Certificate, ...], subject: str
) -> Installable:
    customers.find(connection, tsp_id)
    live = [
        (each, x509.load_der_x509_csr(each.request))
        for state in (CredentialState.REQUESTED, CredentialState.ACTIVE)
        if (each := customer_credentials.in_state(connection, tsp_id, state))
    ]
    if not live:
        raise _none(tsp_id)
    # The first is the one that waits, if one does: its subject is the one that was asked for.
    returned = judge_returned(found, [csr.public_key() for _, csr in live], live[0][1].subject, hub.now(), subject)
    for each, csr in live:
        if spki_pin(csr.public_key()) == returned.spki_pin:
            return Installable(each, returned)
    raise AssertionError(returned.spki_pin)


def _find(connection: Connection, tsp_id: str, number: int) -> CustomerCredential:
    return next(each for each in customer_credentials.every(connection, tsp_id) if each.id == number)


def _require_none_waits(connection: Connection, tsp_id: str, *, again: bool) -> None:
    if not again and customer_credentials.in_state(connection, tsp_id, CredentialState.REQUESTED):
        raise Conflict(
            f"a request for {tsp_id} waits for its certificate.",
            f"Print it: bothways outbound show {tsp_id} --request; or give it up and make another: --again",
        )


def _none(tsp_id: str) -> NotFound:
    return NotFound(
        f"customer {tsp_id} is shown the hub's own client certificate, and no request waits.",
        f"Make one for its CA: bothways outbound csr {tsp_id}",
    )
