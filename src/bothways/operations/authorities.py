"""The hub's CAs: list them, put a second issuing CA beside the first, and retire the old one."""

import secrets
from contextlib import suppress
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection

from bothways.contract.document import KeyType
from bothways.errors import BothwaysError, Conflict, NotFound
from bothways.operations.hub import Hub, add_authority
from bothways.operations.keys import require_own_primes
from bothways.operations.revocation import publish_list
from bothways.store import authorities, certificates, revocation_lists
from bothways.store.authorities import Authority, Role


def add_issuing_authority(hub: Hub, kind: KeyType | None = None) -> Authority:
    """Make the next issuing CA, which signs from now on; the one before stays trusted while its certificates live.

    `kind` is that of the CA before if it is None. Raises `Conflict` if the token's key for it is a CA's already,
    `Unusable` without a signer.
    """
    with hub.read() as connection:
        known = authorities.every_authority(connection)
        before = authorities.signing_authority(connection, Role.ISSUING)
        generation = 1 + len(authorities.every_authority(connection, Role.ISSUING))
    if kind is None:
        kind = KeyType.RSA if isinstance(before.certificate.public_key(), rsa.RSAPublicKey) else KeyType.ECDSA
    # A name of its own for each try: one that was killed here leaves a key behind, and stands in nobody's way.
    name = f"issuing-ca-{generation}-{secrets.token_hex(4)}"
    key = hub.keys.provide_issuing_key(name, kind, generation)
    if any(key.public_key == each.certificate.public_key() for each in known):
        raise Conflict(
            f"the key {key.name} in the token belongs to another CA of this hub. Take it out, and try again."
        )
    require_own_primes(hub, key.public_key)
    with hub.write() as transaction:
        if authorities.signing_authority(transaction.connection, Role.ISSUING).id != before.id:
            raise Conflict("another issuing CA was added meanwhile. Look at: bothways hub authority list")
        added = add_authority(hub, transaction, Role.ISSUING, key, generation)
        transaction.audit("authority.add", str(added.id), role=Role.ISSUING.value, key=key.name)
    # At once, for without it Envoy is given no list at all; what fails here, the upkeep does.
    with suppress(BothwaysError):
        publish_list(hub, added)
    return added


def retire_authority(hub: Hub, number: int) -> None:
    """Trust an issuing CA no more. Raises `NotFound`, or `Conflict` while it signs or a certificate of it lives."""
    with hub.write() as transaction:
        found = [each for each in authorities.every_authority(transaction.connection) if each.id == number]
        if not found:
            raise NotFound(f"there is no CA {number}. Look at: bothways hub authority list")
        if found[0].retired_at is not None:
            raise Conflict(f"the CA {number} was retired on {found[0].retired_at:%Y-%m-%d} already.")
        if found[0] not in _replaced(transaction.connection):
            raise Conflict(f"the CA {number} signs. Put another in its place first: bothways hub authority add")
        if left := certificates.living(transaction.connection, number, transaction.now):
            raise Conflict(
                f"{left} certificates of the CA {number} are in force. Have them renewed, or revoke them: "
                "bothways certificate list"
            )
        authorities.retire(transaction, number)
        transaction.audit("authority.retire", str(number))


def retirable(hub: Hub) -> tuple[int, ...]:
    """Return the issuing CAs that nobody needs any more: replaced, all that they signed expired and off the CRL."""
    with hub.read() as connection:
        return tuple(each.id for each in _replaced(connection) if _done(connection, each, hub.now()))


def list_authorities(hub: Hub) -> list[dict[str, Any]]:
    """Return all CAs that there ever were as JSON objects; `state` is signing, trusted or retired."""
    with hub.read() as connection:
        signing = {authorities.signing_authority(connection, role).id for role in Role}
        roles = {each.id: role for role in Role for each in authorities.every_authority(connection, role)}
        return [
            {
                "id": each.id,
                "role": roles[each.id].value,
                "subject": each.certificate.subject.rfc4514_string(),
                "key": each.key_name,
                "state": "retired" if each.retired_at else "signing" if each.id in signing else "trusted",
                "not_after": each.certificate.not_valid_after_utc.isoformat(),
                "retired_at": each.retired_at and each.retired_at.isoformat(),
                "certificates": certificates.living(connection, each.id, hub.now()),
            }
            for each in reversed(authorities.every_authority(connection))
        ]


def _replaced(connection: Connection) -> tuple[Authority, ...]:
    return authorities.trusted(connection, Role.ISSUING)[1:]


def _done(connection: Connection, authority: Authority, now: datetime) -> bool:
    end = certificates.last_end(connection, authority.id)
    if end is None:
        return True
    # What was revoked is on the list for as long as RFC 5280 section 3.3 wants it: on one that is later than its end.
    last = revocation_lists.current(connection, authority.id)
    return end <= now and last is not None and last.this_update > end
