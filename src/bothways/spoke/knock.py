"""Connections to one address of a server: TCP, hellos of each version, and knocks as somebody; for both sides.

The hub's probe looks so at a customer's server, and `spoke check` at the customer's own. A connection goes to the
address that was judged, with the host name in SNI alone: DNS has no second say.
"""

import asyncio
import contextlib
import os
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography import x509

from bothways.connectivity.evidence import Admission, Caller, Outcome, TcpSeen, VersionSeen
from bothways.connectivity.verdicts import refused_by_http
from bothways.pki import hello
from bothways.pki.alerts import alert, alert_in
from bothways.pki.chain import readable
from bothways.pki.encoding import UNREADABLE

PATIENCE = 5.0
"""Seconds for a connection, for the answer to a hello, and for one knock."""

QUIET_LEAST, QUIET_MOST, QUIET_TIMES = 0.2, 1.5, 3.0
"""Seconds without a word after the handshake before anything is sent: a refusal of TLS 1.3 comes then.

As many times as long as the handshake took, for that is how far the server is away, between these bounds.
"""

CHAIN_MOST = 16
"""Certificates of a chain that are looked at: what is sent is a stranger's choice, and each is compared with each."""

_HELLO_MOST, _ANSWER_MOST, _SHOWN = 1 << 14, 1 << 12, 40
_PIECE = 1 << 14
_STATUS = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3})")

_Value = TypeVar("_Value")

Chain = tuple[x509.Certificate, ...]
"""A chain as it was sent, the server's own certificate first."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to knock: an address that may be connected to, the host name for SNI, and the path to ask for."""

    address: str
    port: int
    host: str
    path: str


async def tcp(address: str, port: int) -> TcpSeen:
    """Connect once, and close."""
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(address, port)
        writer.transport.abort()
    except TimeoutError:
        return TcpSeen(address, port, f"nothing came back in {PATIENCE:.0f} s", silent=True)
    except OSError as error:
        return TcpSeen(address, port, _said(error))
    return TcpSeen(address, port)


async def version(target: Target, number: int) -> VersionSeen:
    """Send a hello of one version, and tell what the server says to it."""
    name, heard = hello.VERSIONS[number], b""
    try:
        async with asyncio.timeout(PATIENCE), _connected(target) as (reader, writer):
            writer.write(hello.client_hello(target.host, number, os.urandom(64)))
            while (answer := hello.answer(heard)) is None and len(heard) < _HELLO_MOST:
                if not (piece := await reader.read(_PIECE)):
                    return VersionSeen(name, offered=False, failure="the connection was closed")
                heard += piece
    except TimeoutError:
        return VersionSeen(name, offered=False, failure=f"nothing was heard in {PATIENCE:.0f} s")
    except OSError as error:
        return VersionSeen(name, offered=False, failure=_said(error))
    if answer is None or (answer.version is None and answer.alert is None):
        return VersionSeen(name, offered=False, began=heard[:_SHOWN])
    if answer.alert is not None:
        return VersionSeen(name, offered=False, alert=alert(answer.alert))
    # A server that knows less answers with the best that it has: that is another version, and counts as its own.
    return VersionSeen(name, offered=answer.version == number)


async def presented(target: Target, context: ssl.SSLContext) -> tuple[Chain, str]:
    """Return the chain that the server sends, in its order; if there is none, also why. Nothing is asked.

    The handshake is not ended: a server that wants a certificate would count it as a caller who has none.
    """
    line: _Line | None = None
    why = "it cannot be read"
    try:
        async with asyncio.timeout(PATIENCE), _connected(target) as (reader, writer):
            line = _Line(reader, writer, context, target.host)
            await line.see_chain()
    except TimeoutError:
        why = f"nothing was heard in {PATIENCE:.0f} s"
    except OSError as error:
        why = str(alert_in(str(error)) or _said(error))
    chain = line.chain() if line else ()
    return chain, "" if chain else why


async def knock(
    target: Target, caller: Caller, context: ssl.SSLContext, believed: Callable[[Chain], bool]
) -> Admission:
    """Shake hands as this caller, ask for the path, and return what came of it.

    A server whose chain is not `believed` is asked for nothing: several may stand behind one address.
    In TLS 1.3 the server speaks of the certificate after the client's handshake is over (RFC 8446 section 4.4.2.4). It
    is waited for before anything is sent: what is written to a closed connection can cost the reason.
    """
    line: _Line | None = None
    heard, error = b"", None
    try:
        async with asyncio.timeout(PATIENCE), _connected(target) as (reader, writer):
            line = _Line(reader, writer, context, target.host)
            begun = time.monotonic()
            await line.shake_hands()
            quiet = min(max(QUIET_LEAST, QUIET_TIMES * (time.monotonic() - begun)), QUIET_MOST)
            if not believed(line.chain()):
                return Admission(caller, Outcome.UNREACHABLE, said="this time, another chain was presented")
            heard = await line.asked(target, quiet)
    except (OSError, TimeoutError) as raised:
        error = raised
    if line is None:
        return Admission(caller, Outcome.UNREACHABLE, said=_said(error))
    return _admission(caller, line, heard or line.heard, error)


def _admission(caller: Caller, line: "_Line", heard: bytes, error: Exception | None) -> Admission:
    version = line.version
    if heard:
        match = _STATUS.match(heard)
        status = int(match[1]) if match else None
        refused = status is not None and refused_by_http(status, heard.decode("latin-1"))
        said = heard[:_SHOWN].decode("latin-1")
        return Admission(caller, Outcome.ANSWERED, version, None, status, certificate_error=refused, said=said)
    if isinstance(error, TimeoutError):
        return Admission(caller, Outcome.SILENT, version, said=f"nothing was heard in {PATIENCE:.0f} s")
    reason = f"{getattr(error, 'reason', '') or ''} {error or ''}"
    if isinstance(error, ssl.SSLError) and (found := alert_in(reason)):
        return Admission(caller, Outcome.REFUSED, version, found)
    if isinstance(error, ssl.SSLError) and "ALERT" in reason.upper():
        return Admission(caller, Outcome.REFUSED, version, said=reason.strip())
    return Admission(caller, Outcome.CLOSED, version, said=_said(error) if error else "without a reason")


class _Line:
    """TLS over one connection. The object of the handshake outlives its failure: what was sent can still be read."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str
    ) -> None:
        self._reader, self._writer = reader, writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self.version, self.heard = "", b""

    async def shake_hands(self) -> None:
        await self._do(self.tls.do_handshake)
        # A refusal that comes later takes it away.
        self.version = self.tls.version() or ""

    async def see_chain(self) -> None:
        """Shake hands until the server has shown its chain, and send nothing more."""
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.tls.do_handshake()
                return
            if self.chain():
                return
            await self._receive()

    async def asked(self, target: Target, quiet: float) -> bytes:
        """Return the beginning of the answer, up to what tells why a certificate was refused."""
        # A refusal raises here; a server that speaks first lets us in, whatever it says.
        with contextlib.suppress(TimeoutError):
            self.heard = await asyncio.wait_for(self._do(lambda: self.tls.read(_ANSWER_MOST)), quiet)
            return self.heard
        head = f"GET {target.path} HTTP/1.1\r\nHost: {target.host}\r\nUser-Agent: bothways-probe\r\n"
        request = f"{head}Accept: */*\r\nConnection: close\r\n\r\n".encode()
        await self._do(lambda: self.tls.write(request))
        self.heard = await self._do(lambda: self.tls.read(_ANSWER_MOST))
        # The body may come in a piece of its own; one that does not come is none.
        with contextlib.suppress(OSError, TimeoutError):
            while len(self.heard) < _ANSWER_MOST:
                more = await asyncio.wait_for(self._do(lambda: self.tls.read(_ANSWER_MOST)), quiet)
                if not more:
                    break
                self.heard += more
        return self.heard

    def chain(self) -> Chain:
        """Return what the server sent, in its order; nothing if that cannot be read."""
        # The module's own interface has it from Python 3.13 on; before, this object within has it.
        sent: list[Any] = self.tls._sslobj.get_unverified_chain() or []  # type: ignore[attr-defined]  # noqa: SLF001
        try:
            return tuple(
                readable(x509.load_pem_x509_certificate(each.public_bytes().encode())) for each in sent[:CHAIN_MOST]
            )
        except UNREADABLE:
            return ()

    async def _do(self, step: Callable[[], _Value]) -> _Value:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                await self._receive()
            except ssl.SSLError:
                await self._flush()
                raise
            else:
                await self._flush()
                return done

    async def _receive(self) -> None:
        await self._flush()
        if piece := await self._reader.read(_PIECE):
            self._incoming.write(piece)
        else:
            self._incoming.write_eof()

    async def _flush(self) -> None:
        if pending := self._outgoing.read():
            self._writer.write(pending)
            with contextlib.suppress(ConnectionError):
                await self._writer.drain()


@contextlib.asynccontextmanager
async def _connected(target: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(target.address, target.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _said(error: Exception | None) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return (os.strerror(error.errno) if error.errno else str(error) or type(error).__name__).lower()
    return str(error) or type(error).__name__
