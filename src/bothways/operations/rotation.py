"""The rotation of the hub's own certificates (R15)."""

from bothways.operations.hub import Hub, sign_for_hub
from bothways.store.authorities import Role


def rotate_client_certificate(hub: Hub) -> str:
    """Put a new client certificate, with a new key and from the same Client CA, to use towards all customers.

    Returns its serial number in hex. Customers trust the CA and not the certificate, so that nothing breaks.
    """
    with hub.write() as transaction:
        serial = sign_for_hub(hub, transaction, Role.CLIENT)
        transaction.audit("rotate.client", serial)
    return serial
