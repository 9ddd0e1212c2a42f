"""The rotation of the hub's own certificates (R15): by command, and by the clock when a third of the life is left.

Towards customers it has three steps: the next certificate is made, each customer is asked whether it takes it
(`outbound.rotation`), and then it is put to use. Who does not take it is held: shown the one before, while it lasts.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from sqlalchemy import Connection

from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub, issuer_for_hub, sign_for_hub
from bothways.pki import profile
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.store import authorities, customer_credentials, customers, holds
from bothways.store.authorities import Credential, Role
from bothways.store.database import Transaction
from bothways.xds.state import CustomerServer, KeyPair

OWN = {Role.SERVER: "server", Role.CLIENT: "client", Role.NODE: "control-plane"}
"""The roles of the CAs under which the hub has a certificate of its own, and what people call that certificate."""

_VALIDITY = {
    Role.SERVER: profile.SERVER_VALIDITY,
    Role.CLIENT: profile.HUB_CLIENT_VALIDITY,
    Role.NODE: profile.SERVER_VALIDITY,
}
_GAIN = timedelta(days=1)
"""What a renewal must gain at least. Where the CA's end cuts both certificates, a new one gains nothing."""


ASKED_WITHIN = timedelta(days=2)
"""How long a next client certificate waits for the customers to be asked; then it is put to use all the same."""


def rotate_client_certificate(hub: Hub) -> str:
    """Put a new client certificate to use towards all customers at once, and ask nobody.

    Returns its serial number in hex. Customers trust the CA and not the certificate (R15), so that nothing breaks;
    whoever pins it all the same is called in vain.
    """
    with hub.write() as transaction:
        serial = _rotated(hub, transaction, Role.CLIENT)
        for tsp_id in holds.many(transaction.connection):
            _release(transaction, tsp_id, "the new one was put to use towards all")
        return serial


def renew_server_certificate(hub: Hub) -> str:
    """Put a new certificate of endpoint and portal, with a new key, to use before the clock would.

    Returns its serial number in hex. For a key that somebody else may have; customers trust the server CA, and have
    nothing to do. The certificate before is believed by them until it ends.
    """
    with hub.write() as transaction:
        return _rotated(hub, transaction, Role.SERVER)


def make_next(hub: Hub) -> Credential:
    """Return the next client certificate, which nobody is shown yet; it is made if there is none of the present CA."""
    with hub.write() as transaction:
        found = authorities.next_credential(transaction.connection, Role.CLIENT)
        signing = authorities.signing_authority(transaction.connection, Role.CLIENT)
        if found and found.authority_id == signing.id:
            return found
        serial = sign_for_hub(hub, transaction, Role.CLIENT, used=False)
        transaction.audit("rotate.next", serial)
        made = authorities.next_credential(transaction.connection, Role.CLIENT)
    if made is None:
        raise AssertionError(serial)
    return made


def waiting_next(hub: Hub) -> Credential | None:
    """Return the next client certificate if there is one that waits for the customers to be asked."""
    with hub.read() as connection:
        return authorities.next_credential(connection, Role.CLIENT)


def credential_pair(hub: Hub, credential: Credential) -> KeyPair:
    """Return a certificate of the hub with its key. Raises `Unusable`."""
    certificate = credential.certificate
    return KeyPair(certificate_pem(certificate), hub.keys.private_pem(credential.key_name), fingerprint(certificate))


def to_be_asked(hub: Hub) -> tuple[tuple[CustomerServer, KeyPair], ...]:
    """Return the servers that are called with a certificate of the hub's own, each with the one that it is shown now.

    An outbound flow that is not established has no calls to lose; who has a certificate of its own (R13) keeps it.
    """
    state = hub_state(hub)
    with hub.read() as connection:
        own = customer_credentials.active(connection)
    return tuple(
        (each, state.client_of(each)) for each in state.customers if each.established and each.tsp_id not in own
    )


def put_next_to_use(hub: Hub, following: Credential, refused: Mapping[str, str], taken: Collection[str]) -> bool:
    """Show the next client certificate to everybody but those who `refused` it, by tspId with the reason.

    Those stay with what they are shown now while it lasts; those who have `taken` it are held no more. Returns False,
    and changes nothing, if it is in use already or another one took its place.
    """
    with hub.write() as transaction:
        connection = transaction.connection
        if authorities.next_credential(connection, Role.CLIENT) != following:
            return False
        before, held = authorities.current_credential(connection, Role.CLIENT), holds.many(connection)
        earlier = authorities.credentials_by_id(connection, {each.credential_id for each in held.values()})
        authorities.put_to_use(transaction, following.id)
        transaction.audit("rotate.client", _serial(following), before=_serial(before), held=sorted(refused))
        for tsp_id in sorted(customers.many(connection, refused.keys())):
            at = earlier[held[tsp_id].credential_id] if tsp_id in held else before
            if at.certificate.not_valid_after_utc <= transaction.now:
                at = before
            holds.add(transaction, tsp_id, at.id, refused[tsp_id])
            transaction.audit("rotate.hold", tsp_id, serial=_serial(at), reason=refused[tsp_id])
        for tsp_id in sorted(held.keys() & set(taken)):
            _release(transaction, tsp_id, "it takes the new one")
    return True


def held_customers(hub: Hub) -> frozenset[str]:
    """Return who is shown an earlier certificate of the hub than the current one, by tspId."""
    with hub.read() as connection:
        return frozenset(holds.many(connection))


def release_customer(hub: Hub, tsp_id: str, reason: str) -> None:
    """Show a customer that was held the hub's current certificate; nothing, if it is not held."""
    with hub.write() as transaction:
        _release(transaction, tsp_id, reason)


def renewal_due(role: Role, current: x509.Certificate, issuer: x509.Certificate) -> datetime | None:
    """Return when a certificate of the hub is to be renewed: at two thirds of its life.

    None if `issuer`, which would sign the new one, ends so soon that nothing would be gained.
    """
    begin, end = current.not_valid_before_utc, current.not_valid_after_utc
    due = end - (end - begin) / 3
    gained = min(due + _VALIDITY[role], issuer.not_valid_after_utc) - end
    return due if gained >= _GAIN else None


def renew_credential(hub: Hub, role: Role) -> str | None:
    """Renew a certificate of the hub if it is due; return its serial number in hex, or None if it was not.

    Towards customers that have to be asked, the next one is made and waits for that, for `ASKED_WITHIN` at most.
    """
    if role is Role.CLIENT:
        if following := waiting_next(hub):
            waited = following.created_at + ASKED_WITHIN <= hub.now() or _ended(hub)
            return _serial(following) if waited and put_next_to_use(hub, following, {}, ()) else None
        due = next_renewal(hub, role)
        if due and due <= hub.now() and not _ended(hub) and to_be_asked(hub):
            return _serial(make_next(hub))
    with hub.write() as transaction:
        due = _due(transaction.connection, role, transaction.now)
        if due is None or due > transaction.now:
            return None
        return _rotated(hub, transaction, role)


def next_renewal(hub: Hub, role: Role) -> datetime | None:
    """Return when a certificate of the hub is due for its renewal, or None if that would gain nothing."""
    with hub.read() as connection:
        return _due(connection, role, hub.now())


def own_certificates(hub: Hub) -> dict[str, Any]:
    """Return the certificates that the hub uses itself, each with its end and its renewal, as a JSON object."""
    found = {}
    with hub.read() as connection:
        for role, name in OWN.items():
            certificate = authorities.current_credential(connection, role).certificate
            due = _due(connection, role, hub.now())
            found[name] = {
                "serial": f"{certificate.serial_number:x}",
                "not_after": certificate.not_valid_after_utc.isoformat(),
                "renewal_at": due and due.isoformat(),
            }
    return found


def _due(connection: Connection, role: Role, now: datetime) -> datetime | None:
    current, issuer = authorities.current_credential(connection, role), issuer_for_hub(connection, role, now)
    if role in {Role.NODE, Role.SERVER} and issuer.id != current.authority_id:
        # All nodes trust the next CA, or the old one is about to end: nothing is left to wait for.
        return now
    return renewal_due(role, current.certificate, issuer.certificate)


def _ended(hub: Hub) -> bool:
    with hub.read() as connection:
        current = authorities.current_credential(connection, Role.CLIENT).certificate
    return current.not_valid_after_utc <= hub.now()


def _serial(credential: Credential) -> str:
    return f"{credential.certificate.serial_number:x}"


def _release(transaction: Transaction, tsp_id: str, reason: str) -> None:
    if holds.release(transaction, tsp_id):
        transaction.audit("rotate.release", tsp_id, reason=reason)


def _rotated(hub: Hub, transaction: Transaction, role: Role) -> str:
    before = authorities.current_credential(transaction.connection, role)
    serial = sign_for_hub(hub, transaction, role)
    transaction.audit(f"rotate.{OWN[role]}", serial, before=_serial(before))
    return serial
