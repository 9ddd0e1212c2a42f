"""The hub's CAs: list them, put a next one beside the first, and retire the old one."""

import secrets
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import Connection

from bothways.contract.document import KeyType
from bothways.errors import BothwaysError, Conflict, NotFound
from bothways.operations.hub import AUTHORITY_TITLES, Hub, add_authority
from bothways.operations.keys import require_own_primes
from bothways.operations.nodes import node_certificates
from bothways.operations.revocation import publish_list
from bothways.operations.server_rollover import customers_behind, require_nobody_behind
from bothways.signer.keys import ProvidedKey
from bothways.store import authorities, certificates, holds, revocation_lists
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
    kind = kind or _kind(before)
    name = f"issuing-ca-{generation}-{secrets.token_hex(4)}"
    key = hub.keys.provide_issuing_key(name, kind, generation)
    if any(key.public_key == each.certificate.public_key() for each in known):
        raise Conflict(
            f"the key {key.name} in the token belongs to another CA of this hub. Take it out, and try again."
        )
    require_own_primes(hub, key.public_key)
    added = _added(hub, Role.ISSUING, before, key, generation)
    # At once, for without it Envoy is given no list at all; what fails here, the upkeep does.
    with suppress(BothwaysError):
        publish_list(hub, added)
    return added


def add_client_authority(hub: Hub, kind: KeyType | None = None) -> Authority:
    """Make the next Client CA, which signs the hub's client certificates from the next rotation on.

    The contract names both. Nobody is shown a certificate of the new one before its server took it: each rotation asks,
    and who does not trust the new CA yet is held at the certificate of the old one, as long as that lasts.
    `kind` is that of the CA before if it is None.
    """
    return _next(hub, Role.CLIENT, kind)


def add_node_authority(hub: Hub, kind: KeyType | None = None) -> Authority:
    """Make the next node CA, which signs the nodes' certificates from now on; the control plane takes those of both.

    What it shows to nodes itself stays under the one before until each of them has used a certificate of the new one.
    `kind` is that of the CA before if it is None.
    """
    return _next(hub, Role.NODE, kind)


def add_server_authority(hub: Hub, kind: KeyType | None = None) -> Authority:
    """Make the next server CA, which signs nothing for the endpoint before it is told to.

    The contract names both from now on. The one before vouches for it, if it can: see `server_authority`.
    `kind` is that of the CA before if it is None. Raises `Conflict` while there are two already.
    """
    with hub.read() as connection:
        known = authorities.trusted(connection, Role.SERVER)
    if len(known) > 1:
        numbers = ", ".join(str(each.id) for each in reversed(known))
        raise Conflict(
            f"customers are changing over between the server CAs {numbers} already.",
            "Retire one of them first: bothways hub authority retire",
        )
    return _next(hub, Role.SERVER, kind)


def authority_added(
    hub: Hub, role: Literal["issuing", "client", "node", "server"], kind: KeyType | None
) -> dict[str, Any]:
    """Make the next CA of a role, and return it as the JSON object that API and command line show. Raises as above.

    `linked` is whether the CA before vouches for it.
    """
    adding = {
        "issuing": add_issuing_authority,
        "client": add_client_authority,
        "node": add_node_authority,
        "server": add_server_authority,
    }
    added = adding[role](hub, kind)
    subject = added.certificate.subject.rfc4514_string()
    return {"id": added.id, "subject": subject, "key": added.key_name, "linked": added.link is not None}


def retire_authority(hub: Hub, number: int, reason: str, *, force: bool = False) -> None:
    """Announce and trust a CA no more, and say why.

    Raises `NotFound`, or `Conflict` while it signs or a certificate of it lives; of a server CA also while there are
    customers that may trust no other, unless `force` leaves them behind.
    """
    with hub.write() as transaction:
        found = [each for each in authorities.every_authority(transaction.connection) if each.id == number]
        if not found:
            raise NotFound(f"there is no CA {number}.", "Look at: bothways hub authority list")
        if found[0].retired_at is not None:
            raise Conflict(f"the CA {number} was retired on {found[0].retired_at:%Y-%m-%d} already.")
        if found[0] not in _replaced(transaction.connection):
            instead = "activate" if found[0] in authorities.trusted(transaction.connection, Role.SERVER) else "add"
            raise Conflict(
                f"the CA {number} signs.", f"Put another in its place first: bothways hub authority {instead}"
            )
        if not force:
            require_nobody_behind(transaction.connection, found[0], transaction.now)
        if left := _shown(transaction.connection, number, transaction.now):
            raise Conflict(
                f"{left} certificates of the Client CA {number} are shown to customers, or will be.",
                "Have all customers take one of the new CA: bothways rotate",
            )
        if left := _towards_nodes(transaction.connection, number, transaction.now):
            raise Conflict(
                f"{left} certificates of the node CA {number} are in use between the control plane and its nodes.",
                "Have the nodes change over, or withdraw them: bothways hub node list",
            )
        if left := certificates.living(transaction.connection, number, transaction.now):
            raise Conflict(
                f"{left} certificates of the CA {number} are in force.",
                "Have them renewed, or revoke them: bothways certificate list",
            )
        authorities.retire(transaction, number)
        transaction.audit("authority.retire", str(number), key=found[0].key_name, reason=reason)


def retirable(hub: Hub) -> tuple[int, ...]:
    """Return the CAs that nobody needs any more: replaced, and what they signed has ended and is off the CRL.

    Of a Client CA that was replaced, nothing is left when no customer is shown a certificate of it; of a node CA, when
    no certificate of it lets a node in, and the control plane shows none. A server CA is needed until it ends.
    """
    with hub.read() as connection:
        return tuple(each.id for each in _replaced(connection) if _done(connection, each, hub.now()))


def list_authorities(hub: Hub) -> list[dict[str, Any]]:
    """Return all CAs that there ever were as JSON objects; `state` is signing, trusted or retired.

    `behind` is how many customers have not taken the contract since it names a server CA beside another.
    """
    with hub.read() as connection:
        signing = {_signing(connection, role).id for role in Role}
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
                "certificates": certificates.living(connection, each.id, hub.now())
                + _shown(connection, each.id, hub.now())
                + _towards_nodes(connection, each.id, hub.now())
                + _of_endpoint(connection, each.id, hub.now()),
                "linked": each.link is not None,
                "behind": customers_behind(connection, each, hub.now()),
            }
            for each in reversed(authorities.every_authority(connection))
        ]


def _replaced(connection: Connection) -> tuple[Authority, ...]:
    return tuple(
        each for role in Role for each in authorities.trusted(connection, role) if each != _signing(connection, role)
    )


def _signing(connection: Connection, role: Role) -> Authority:
    """Return the CA of the role that is in use; the next server CA is not before it is told to."""
    if role is not Role.SERVER:
        return authorities.signing_authority(connection, role)
    return authorities.authority_by_id(connection, authorities.current_credential(connection, role).authority_id)


def _of_endpoint(connection: Connection, number: int, now: datetime) -> int:
    """Return how many certificates of this CA endpoint and portal show."""
    own = authorities.current_credential(connection, Role.SERVER)
    return int(own.authority_id == number and own.certificate.not_valid_after_utc > now)


def _shown(connection: Connection, number: int, now: datetime) -> int:
    """Return how many client certificates of this CA the hub shows to customers, or will when they were asked."""
    held = {each.credential_id for each in holds.many(connection).values()}
    found = authorities.credentials_by_id(connection, held)
    for each in (
        authorities.current_credential(connection, Role.CLIENT),
        authorities.next_credential(connection, Role.CLIENT),
    ):
        if each is not None:
            found[each.id] = each
    return sum(each.authority_id == number and each.certificate.not_valid_after_utc > now for each in found.values())


def _towards_nodes(connection: Connection, number: int, now: datetime) -> int:
    """Return how many certificates of this CA nodes and control plane may show to each other."""
    own = authorities.current_credential(connection, Role.NODE)
    shown = sum(each.authority_id == number for found in node_certificates(connection, now).values() for each in found)
    return shown + (own.authority_id == number and own.certificate.not_valid_after_utc > now)


def _kind(before: Authority) -> KeyType:
    return KeyType.RSA if isinstance(before.certificate.public_key(), rsa.RSAPublicKey) else KeyType.ECDSA


def _next(hub: Hub, role: Role, kind: KeyType | None) -> Authority:
    """Make the next CA of a role whose keys the hub makes itself."""
    with hub.read() as connection:
        before = _signing(connection, role)
        generation = 1 + len(authorities.every_authority(connection, role))
    key = hub.keys.generate(f"{role.value}-ca-{generation}-{secrets.token_hex(4)}", kind or _kind(before))
    require_own_primes(hub, key.public_key)
    return _added(hub, role, before, key, generation)


def _added(hub: Hub, role: Role, before: Authority, key: ProvidedKey, generation: int) -> Authority:
    with hub.write() as transaction:
        if len(authorities.every_authority(transaction.connection, role)) >= generation:
            title = AUTHORITY_TITLES[role]
            raise Conflict(f"another {title} was added meanwhile.", "Look at: bothways hub authority list")
        added = add_authority(hub, transaction, role, key, generation, before)
        transaction.audit("authority.add", str(added.id), role=role.value, key=key.name)
    return added


def _done(connection: Connection, authority: Authority, now: datetime) -> bool:
    if authority in authorities.trusted(connection, Role.SERVER):
        return authority.certificate.not_valid_after_utc <= now
    if _shown(connection, authority.id, now) or _towards_nodes(connection, authority.id, now):
        return False
    end = certificates.last_end(connection, authority.id)
    if end is None:
        return True
    # What was revoked is on the list for as long as RFC 5280 section 3.3 wants it: on one that is later than its end.
    last = revocation_lists.current(connection, authority.id)
    return end <= now and last is not None and last.this_update > end
