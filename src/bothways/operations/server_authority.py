"""The server CA and the next one: which of them signs for the endpoint, and what the endpoint shows above that.

A customer that trusts the old CA alone finds the way from a certificate of the next one by its link certificate; so the
endpoint may change over before everybody trusts the next CA, and back.
"""

from datetime import datetime, timedelta

from cryptography import x509
from sqlalchemy import Connection

from bothways.pki import profile
from bothways.pki.chain import certificate_pem, extension, issued_by
from bothways.store import authorities
from bothways.store.authorities import Authority, Credential, Role

PATH_LENGTH = 1
"""CAs that a server CA may have below it: the next one, by its link certificate, and none below that."""

LATEST = profile.SERVER_VALIDITY / 3
"""How long before its end the old CA signs no more for the endpoint, if there is a next one that it vouches for: as
long as a server certificate has left when it is renewed."""

LATEST_UNLINKED = timedelta(days=1)
"""The same, if it vouches for none: who trusts the old CA alone is lost from then on, and is not lost sooner."""


def server_issuer(connection: Connection, now: datetime) -> Authority:
    """Return the CA that signs for endpoint and portal.

    It is the one whose certificate is in use, until a person has the endpoint change over, or it ends.
    """
    newest, *others = authorities.trusted(connection, Role.SERVER)
    if not others:
        return newest
    current = authorities.current_credential(connection, Role.SERVER).authority_id
    return next((each for each in others if each.id == current and not ends_soon(each, newest, now)), newest)


def ends_soon(old: Authority, newest: Authority, now: datetime) -> bool:
    """Tell whether the old CA is so near to its end that the endpoint has to change over."""
    spare = LATEST if newest.link else LATEST_UNLINKED
    return old.certificate.not_valid_after_utc - now <= spare


def server_chain(connection: Connection, current: Credential) -> str:
    """Return what endpoint and portal show, in PEM: the certificate, and the link above it while that leads anywhere.

    That is, while the CA that signed it is not retired.
    """
    trusted = authorities.trusted(connection, Role.SERVER)
    link = next((each.link for each in trusted if each.id == current.authority_id), None)
    leads = link is not None and any(issued_by(link, each.certificate) for each in trusted)
    return certificate_pem(current.certificate) + (certificate_pem(link) if link is not None and leads else "")


def may_vouch(authority: x509.Certificate, now: datetime) -> bool:
    """Tell whether a CA has not ended and may have another below it (RFC 5280 section 4.2.1.9).

    One that an earlier version made may not. Another of the same name would not count as below it, but to some
    libraries it does (Go, and ours).
    """
    constraints = extension(authority, x509.BasicConstraints)
    return constraints is not None and constraints.path_length != 0 and now < authority.not_valid_after_utc
