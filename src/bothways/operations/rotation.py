"""The rotation of the hub's own certificates (R15): by command, and by the clock when a third of the life is left."""

from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from sqlalchemy import Connection

from bothways.operations.hub import Hub, sign_for_hub
from bothways.pki import profile
from bothways.store import authorities
from bothways.store.authorities import Role
from bothways.store.database import Transaction

OWN = {Role.SERVER: "server", Role.CLIENT: "client", Role.NODE: "control-plane"}
"""The roles of the CAs under which the hub has a certificate of its own, and what people call that certificate."""

_VALIDITY = {
    Role.SERVER: profile.SERVER_VALIDITY,
    Role.CLIENT: profile.HUB_CLIENT_VALIDITY,
    Role.NODE: profile.SERVER_VALIDITY,
}
_GAIN = timedelta(days=1)
"""What a renewal must gain at least. Where the CA's end cuts both certificates, a new one gains nothing."""


def rotate_client_certificate(hub: Hub) -> str:
    """Put a new client certificate, with a new key and from the same Client CA, to use towards all customers.

    Returns its serial number in hex. Customers trust the CA and not the certificate, so that nothing breaks.
    """
    with hub.write() as transaction:
        return _rotated(hub, transaction, Role.CLIENT)


def renewal_due(role: Role, current: x509.Certificate, issuer: x509.Certificate) -> datetime | None:
    """Return when a certificate of the hub is to be renewed: at two thirds of its life.

    None if `issuer`, which would sign the new one, ends so soon that nothing would be gained.
    """
    begin, end = current.not_valid_before_utc, current.not_valid_after_utc
    due = end - (end - begin) / 3
    gained = min(due + _VALIDITY[role], issuer.not_valid_after_utc) - end
    return due if gained >= _GAIN else None


def renew_credential(hub: Hub, role: Role) -> str | None:
    """Renew a certificate of the hub if it is due; return its serial number in hex, or None if it was not."""
    with hub.write() as transaction:
        due = _due(transaction.connection, role)
        if due is None or due > transaction.now:
            return None
        return _rotated(hub, transaction, role)


def next_renewal(hub: Hub, role: Role) -> datetime | None:
    """Return when a certificate of the hub is due for its renewal, or None if that would gain nothing."""
    with hub.read() as connection:
        return _due(connection, role)


def own_certificates(hub: Hub) -> dict[str, Any]:
    """Return the certificates that the hub uses itself, each with its end and its renewal, as a JSON object."""
    found = {}
    with hub.read() as connection:
        for role, name in OWN.items():
            certificate, due = authorities.current_credential(connection, role).certificate, _due(connection, role)
            found[name] = {
                "serial": f"{certificate.serial_number:x}",
                "not_after": certificate.not_valid_after_utc.isoformat(),
                "renewal_at": due and due.isoformat(),
            }
    return found


def _due(connection: Connection, role: Role) -> datetime | None:
    current = authorities.current_credential(connection, role).certificate
    return renewal_due(role, current, authorities.signing_authority(connection, role).certificate)


def _rotated(hub: Hub, transaction: Transaction, role: Role) -> str:
    serial = sign_for_hub(hub, transaction, role)
    transaction.audit(f"rotate.{OWN[role]}", serial)
    return serial
