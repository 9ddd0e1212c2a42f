"""Who the receiver is and whom it trusts, as one TLS context; made anew when one of the files changes."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from bothways.errors import Refused, Unusable
from bothways.spoke.directory import Spoke, open_spoke
from bothways.spoke.tls import anchors, load_pair

_Stamp = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """The server's certificate, the CAs under which the hub's client certificate must be, and the name in it (R12)."""

    context: ssl.SSLContext
    certificate: x509.Certificate
    trusted: tuple[x509.Certificate, ...]
    hub: str


class ReloadingIdentity:
    """The identity out of a certificate file, its key file and the spoke's contract, as they are now.

    `on_change` is told in a sentence when they changed. If they cannot be used, the identity stays as it was, and they
    are tried again when they change again. Raises `Unusable` if they cannot be used from the start.
    """

    def __init__(self, spoke: Spoke, certificate: Path, key: Path, on_change: Callable[[str], None]) -> None:
        self._spoke = spoke
        self._certificate, self._key = certificate, key
        self._on_change = on_change
        self._lock = threading.Lock()
        self._stamp = self._stamped()
        self._identity = _identity(spoke, certificate, key)

    def now(self) -> Identity:
        """Return the identity for a new connection. A look at three files; cheap beside a handshake."""
        with self._lock:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._identity = _identity(open_spoke(self._spoke.directory), self._certificate, self._key)
                except (Refused, Unusable) as error:
                    self._on_change(f"files have changed and cannot be used, so it goes on as before: {error}")
                else:
                    end = self._identity.certificate.not_valid_after_utc
                    self._on_change(f"files have changed and are in use; certificate valid until {end:%Y-%m-%d}")
            return self._identity

    def _stamped(self) -> _Stamp:
        return tuple(_stamp(path) for path in (self._certificate, self._key, self._spoke.directory / "contract.toml"))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    # A path with a NUL in it is a ValueError.
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _identity(spoke: Spoke, certificate: Path, key: Path) -> Identity:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    client_ca = spoke.contract.trust.client_ca
    context.load_verify_locations(cadata=anchors(client_ca))
    # A resumed session would carry an authenticated hub past a change of the Client CA.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    own = load_pair(context, certificate, key)
    trusted = tuple(x509.load_pem_x509_certificates(client_ca.encode()))
    return Identity(context, own, trusted, spoke.contract.terms.hub)
