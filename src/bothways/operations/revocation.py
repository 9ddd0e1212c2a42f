"""Revocation lists (CRLs) of the issuing CAs: made ahead of time and at each revocation, handed out as they are."""

from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection

from bothways.errors import NotFound
from bothways.operations.hub import Hub
from bothways.pki.encoding import pem
from bothways.pki.profile import BACKDATE
from bothways.pki.revocation import LIST_INTERVAL, LIST_MARGIN, LIST_VALIDITY, assemble_list, unsigned_list
from bothways.store import authorities, certificates, revocation_lists
from bothways.store.authorities import Authority, Role
from bothways.store.revocation_lists import StoredList

_NEVER = datetime.min.replace(tzinfo=UTC)


def lists_due(hub: Hub) -> tuple[tuple[Authority, datetime], ...]:
    """Return for each issuing CA that is trusted when its next CRL is due: at once if a revocation is not on the last.

    Otherwise a day after the last one, which is valid for a month.
    """
    with hub.read() as connection:
        return tuple((each, _due(connection, each)) for each in authorities.trusted(connection, Role.ISSUING))


def publish_list(hub: Hub, authority: Authority) -> int | None:
    """Make the next CRL of a CA; return its number, or None if another process was faster.

    A certificate that has expired leaves the list after it was on one CRL that was made later (RFC 5280 section 3.3).
    What is signed and not stored was never published, and its number is free. Raises `Unusable` without a signer.
    """
    now = hub.now()
    with hub.read() as connection:
        last = revocation_lists.current(connection, authority.id)
        number = revocation_lists.next_number(connection, authority.id)
        count = certificates.revocations(connection, authority.id)
        revoked = certificates.revoked_since(connection, authority.id, last.this_update if last else _NEVER)
    signer = hub.keys.signer_of(authority.certificate, authority.key_name)
    unsigned = unsigned_list(authority.certificate, number, now, revoked)
    made = assemble_list(authority.certificate, unsigned, signer.sign(unsigned))
    record = StoredList(
        authority.id, number, now - BACKDATE, now + LIST_VALIDITY, count, made.public_bytes(Encoding.DER)
    )
    with hub.write() as transaction:
        if not revocation_lists.add(transaction, record):
            return None
        transaction.audit("crl.publish", str(number), authority=authority.id, revoked=len(revoked))
    return number


def current_list(hub: Hub, authority_id: int | None = None) -> StoredList:
    """Return the newest CRL of an issuing CA, of the one that signs now if none is named. Raises `NotFound`."""
    with hub.read() as connection:
        number = authority_id or authorities.signing_authority(connection, Role.ISSUING).id
        if found := revocation_lists.current(connection, number):
            return found
    raise NotFound(f"there is no revocation list of the CA {number}.", "Look at: bothways hub authority list")


def list_pem(record: StoredList) -> str:
    """Return a CRL in PEM (RFC 7468 section 6)."""
    return pem("X509 CRL", record.der)


def list_document(record: StoredList) -> dict[str, Any]:
    """Return a list as the JSON object that API and command line show; `crl` is PEM."""
    return {
        "authority": record.authority_id,
        "number": record.number,
        "this_update": record.this_update.isoformat(),
        "next_update": record.next_update.isoformat(),
        "crl": list_pem(record),
    }


def lists_for_envoy(connection: Connection, trusted: tuple[Authority, ...], now: datetime) -> tuple[str, ...]:
    """Return the CRLs of all trusted CAs in PEM, or none of them if one is missing or about to end.

    Envoy refuses every customer under a CRL that has ended, and under a CA without one beside one that has one; so it
    is given none then, and the authorization map alone refuses what is revoked, as it always does.
    """
    found = [revocation_lists.current(connection, each.id) for each in trusted]
    good = [each for each in found if each is not None and each.next_update - now > LIST_MARGIN]
    return tuple(list_pem(each) for each in good) if len(good) == len(trusted) else ()


def list_states(hub: Hub) -> list[dict[str, Any]]:
    """Return the newest CRL of each trusted issuing CA as JSON objects; `in_envoy` tells whether Envoy is given it."""
    with hub.read() as connection:
        trusted = authorities.trusted(connection, Role.ISSUING)
        in_envoy = bool(lists_for_envoy(connection, trusted, hub.now()))
        return [
            {
                "authority": each.id,
                "number": found and found.number,
                "this_update": found and found.this_update.isoformat(),
                "next_update": found and found.next_update.isoformat(),
                "in_envoy": in_envoy,
            }
            for each in trusted
            for found in (revocation_lists.current(connection, each.id),)
        ]


def list_address(hub: Hub, authority_id: int) -> str | None:
    """Return where customers' certificates say that the CRL of their CA is, or None if nowhere."""
    base = hub.settings.crl_url.rstrip("/")
    return f"{base}/{authority_id}.crl" if base else None


def _due(connection: Connection, authority: Authority) -> datetime:
    last = revocation_lists.current(connection, authority.id)
    # After a restore, a list of a higher number may be out there.
    behind = last is not None and last.number + 1 < revocation_lists.next_number(connection, authority.id)
    if last is None or behind or last.revocations != certificates.revocations(connection, authority.id):
        return _NEVER
    return last.this_update + BACKDATE + LIST_INTERVAL
