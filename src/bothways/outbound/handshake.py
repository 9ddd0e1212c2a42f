"""One handshake and one request with a customer's server, to learn whether it lets a client certificate in.

Straight and not through Envoy, which has the certificate in use and no other.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bothways import files
from bothways.registry.addresses import refused_range
from bothways.xds.state import CustomerServer, KeyPair

TIMEOUT = 10.0
"""Seconds for everything: name, connection, handshake, and the first line of the answer."""

LATE = 0.5
"""Seconds in which a refusal of TLS 1.3 is waited for: a round trip. One that is later counts, too, in other words."""

_CONNECT_TIMEOUT = 5.0
_FIRST_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")
_READ_MOST = 1 << 14
# What servers answer to a certificate that they do not want; 495 and 496 are nginx's.
_REFUSALS = (400, 401, 403, 495, 496)


class Verdict(StrEnum):
    """Whether the server lets a certificate in. `unknown`: nobody can tell, for it was not reached or not believed."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it: the HTTP status, if there was one; and what was seen, in words."""

    verdict: Verdict
    said: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """How servers are reached: the path of the request, whether loopback may be, and a directory for private files."""

    path: str
    loopback_allowed: bool
    directory: Path


def accepts(server: CustomerServer, present: KeyPair, following: KeyPair, way: Way) -> Seen:
    """Return whether the server lets the `following` certificate in, as it lets the `present` one in.

    A server may shake hands with everybody and refuse by its answer. So the answers are compared: what is answered to
    both is no refusal of the one.
    """
    seen = knock(server, following, way)
    if seen.verdict is Verdict.UNKNOWN or (seen.verdict is Verdict.ACCEPTED and seen.status not in _REFUSALS):
        return seen
    before = knock(server, present, way)
    if before.verdict is Verdict.ACCEPTED and before.status == seen.status:
        return Seen(Verdict.ACCEPTED, f"{seen.said}, as with the present certificate", seen.status)
    if before.verdict is not Verdict.ACCEPTED:
        return Seen(Verdict.UNKNOWN, f"{seen.said}; and with the present certificate: {before.said}")
    return Seen(Verdict.REFUSED, f"{seen.said}; with the present certificate: {before.said}", seen.status)


def knock(server: CustomerServer, pair: KeyPair, way: Way) -> Seen:
    """Return what the server does with this certificate: it is believed under its endorsed anchors alone (R14)."""
    end = time.monotonic() + TIMEOUT
    try:
        plain = _connected(server, way, end)
    except OSError as error:
        return Seen(Verdict.UNKNOWN, f"it was not reached: {_reason(error)}")
    with plain:
        try:
            secured = _context(server, pair, way).wrap_socket(plain, server_hostname=server.host)
        except ssl.SSLCertVerificationError as error:
            return Seen(Verdict.UNKNOWN, f"its certificate is not believed: {error.verify_message}")
        except OSError as error:
            return _refusal(error, "the handshake")
        with secured:
            return _answer(server, secured, way, end)


def _answer(server: CustomerServer, secured: ssl.SSLSocket, way: Way, end: float) -> Seen:
    request = f"GET {server.path}{way.path} HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n"
    received = b""
    try:
        if secured.version() == "TLSv1.3":
            # Our part of the handshake is over before the server has judged our certificate. Its alert comes late, and
            # is lost if we write to a connection that it has closed: so we listen first.
            secured.settimeout(LATE)
            with suppress(TimeoutError):
                received = secured.recv(4096)
            secured.settimeout(max(0.01, end - time.monotonic()))
        with suppress(ConnectionError):
            secured.sendall(request.encode())
        while not (line := _FIRST_LINE.match(received)) and len(received) < _READ_MOST:
            secured.settimeout(max(0.01, end - time.monotonic()))
            if not (more := secured.recv(4096)):
                break
            received += more
    except OSError as error:
        return _refusal(error, "the request")
    if line:
        status = int(line[1])
        return Seen(Verdict.ACCEPTED, f"{secured.version()}, answered {status}", status)
    if received:
        return Seen(Verdict.ACCEPTED, f"{secured.version()}, answered, but not in HTTP/1")
    return Seen(Verdict.REFUSED, "it closed the connection without an answer")


def _refusal(error: OSError, step: str) -> Seen:
    if isinstance(error, TimeoutError):
        return Seen(Verdict.UNKNOWN, f"{step} took longer than {TIMEOUT:.0f} s")
    if isinstance(error, ssl.SSLError) and "ALERT" in str(error.reason):
        return Seen(Verdict.REFUSED, f"it refused {step}: {str(error.reason).lower().replace('_', ' ')}")
    if isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Seen(Verdict.REFUSED, f"it broke the connection off during {step}")
    return Seen(Verdict.UNKNOWN, f"{step} failed: {_reason(error)}")


def _context(server: CustomerServer, pair: KeyPair, way: Way) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=server.anchors.pem)
    with files.readable(f"{pair.certificate_pem}{pair.key_pem}".encode(), way.directory) as name:
        context.load_cert_chain(name)
    return context


def _connected(server: CustomerServer, way: Way, end: float) -> socket.socket:
    failure: OSError = OSError("its name has no address")
    for address in _addresses(server):
        # At the moment of connecting, as Envoy does it: what DNS said before does not count.
        if refused_range(address, loopback_allowed=way.loopback_allowed):
            failure = OSError(f"{address} is no public address")
            continue
        try:
            left = max(0.01, end - time.monotonic())
            plain = socket.create_connection((address, server.port), min(_CONNECT_TIMEOUT, left))
        except OSError as error:
            failure = error
            continue
        plain.settimeout(max(0.01, end - time.monotonic()))
        return plain
    raise failure


def _addresses(server: CustomerServer) -> Iterator[str]:
    if server.host.endswith(".localhost"):
        # As Envoy's resolver has it (RFC 6761 section 6.3), and not every system's.
        yield from ("127.0.0.1", "::1")
        return
    for _, _, _, _, address in socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM):
        yield str(address[0])


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
