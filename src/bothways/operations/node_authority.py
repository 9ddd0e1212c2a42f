"""The node CA and the next one: whom both ends trust, and under which CA the control plane shows itself to nodes.

A node that has used a certificate of the next CA was given the trust in it together with that certificate. The control
plane changes over when all nodes have: before, a node that has not would not find it any more.
"""

from datetime import datetime

from sqlalchemy import Connection

from bothways.pki.chain import certificate_pem
from bothways.store import authorities, nodes
from bothways.store.authorities import Authority, Role


def node_trust(connection: Connection) -> str:
    """Return the node CAs that are not retired, in PEM; the one that signs stands first."""
    return "".join(certificate_pem(each.certificate) for each in authorities.trusted(connection, Role.NODE))


def control_plane_issuer(connection: Connection, now: datetime) -> Authority:
    """Return the CA that signs what the control plane shows to nodes.

    It is the one before the newest until no node is behind, or until the certificate has ended: from then on nobody is
    kept who is not lost already.
    """
    signing, *others = authorities.trusted(connection, Role.NODE)
    if not others:
        return signing
    current = authorities.current_credential(connection, Role.NODE)
    if current.authority_id == signing.id or current.certificate.not_valid_after_utc <= now:
        return signing
    return authorities.authority_by_id(connection, current.authority_id) if nodes_behind(connection) else signing


def nodes_behind(connection: Connection) -> tuple[str, ...]:
    """Return the nodes on record that have used no certificate of the CA that signs now, by name."""
    signing = authorities.signing_authority(connection, Role.NODE).id
    ahead = {each.node_id for each in nodes.certificates(connection) if each.used_at and each.authority_id == signing}
    return tuple(each.name for each in nodes.every(connection) if each.id not in ahead)
