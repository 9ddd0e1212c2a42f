"""Who the receiver is and whom it trusts, as one TLS context; made anew when one of the files changes."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from bothways.contract.document import Terms
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.reload import Reloading
from bothways.spoke.tls import anchors, client_anchors, load_pair


@dataclass(frozen=True, slots=True)
class Identity:
    """The server's certificate, the CAs under which the hub's must be, and what was agreed about that one (R12)."""

    context: ssl.SSLContext
    certificate: x509.Certificate
    trusted: tuple[x509.Certificate, ...]
    terms: Terms


def reloading_identity(
    spoke: Spoke, certificate: Path, key: Path, on_change: Callable[[str], None]
) -> Reloading[Identity]:
    """Return the identity out of a certificate file, its key file and the spoke's contract, as they are now.

    `on_change` is told in a sentence when they changed. Raises `Unusable` if they cannot be used from the start.
    """
    return Reloading(
        (certificate, key, spoke.contract_file),
        lambda: _identity(spoke, certificate, key),
        lambda: _identity(open_spoke(spoke.directory), certificate, key),
        lambda event: on_change(str(event)),
    )


def closed_context() -> ssl.SSLContext:
    """Return the context of a server that trusts nobody yet, and shows no certificate: nobody gets in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    # A resumed session would carry an authenticated hub past a change of the Client CA.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


def _identity(spoke: Spoke, certificate: Path, key: Path) -> Identity:
    context = closed_context()
    trusted = client_anchors(spoke.contract)
    context.load_verify_locations(cadata=anchors(spoke.contract.trust.client_ca))
    own = load_pair(context, certificate, key)
    return Identity(context, own, trusted, spoke.contract.terms)
