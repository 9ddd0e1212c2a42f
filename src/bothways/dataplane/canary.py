"""The canary: from outside of Envoy, it knocks at the endpoint as a stranger, and has it shut if it is let in.

What counts is what the listener does, and not what was configured. Whatever bytes come back after a handshake without a
good certificate were meant for a customer: the status 403 as well, for it says that TLS let the stranger in.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from cryptography import x509

from bothways import files
from bothways.dataplane.ads import AdsServer
from bothways.dataplane.doors import Door, doors_of_nodes, reachable
from bothways.dataplane.stranger import foreign_certificate
from bothways.xds.names import embedded_node
from bothways.xds.state import Address, HubState

_log = logging.getLogger(__name__)

_INTERVAL = 30.0
_AGAIN = 1.0
_PATIENCE = 5.0
_AT_ONCE = 16
_TRIES = 3
_QUIET = 0.5
_SHOWN = 40


class Outcome(Enum):
    """What came of one knock."""

    REFUSED = "refused"
    ANSWERED = "answered"
    UNREACHABLE = "unreachable"


Going = Callable[[str, int], Awaitable[None]]

_WORSE = (Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.ANSWERED)


@dataclass(frozen=True, slots=True)
class Knock:
    """One try to get in: where, as whom, and what came of it, in words too."""

    address: Address
    stranger: str
    outcome: Outcome
    seen: str

    def __str__(self) -> str:
        return f"{self.address}, {self.stranger}: {self.seen}"


def judge(heard: bytes, error: Exception | None) -> tuple[Outcome, str]:
    """Return what came of a knock: from the bytes that were heard after the handshake, or else from how it ended.

    Refused is only what a TLS alert says (RFC 8446 section 6). A connection that ends without one proves nothing.
    """
    if heard:
        return Outcome.ANSWERED, f"it was let in, and heard {heard[:_SHOWN]!r}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome.UNREACHABLE, f"the certificate there is not the endpoint's ({error.verify_message})"
    reason = str(getattr(error, "reason", ""))
    if isinstance(error, ssl.SSLError) and "ALERT" in reason:
        return Outcome.REFUSED, reason
    if isinstance(error, TimeoutError):
        return Outcome.UNREACHABLE, f"nothing was heard in {_PATIENCE:.0f} s"
    return Outcome.UNREACHABLE, str(error or "") or "the connection was closed without a reason"


def verdict(knocks: Sequence[Knock], now: datetime, *, shut: bool) -> dict[str, str]:
    """Return what the knocks at one node come to, as the status says it: the worst of them."""
    worst = max(knocks, key=lambda each: _WORSE.index(each.outcome))
    outcome = "shut" if shut and worst.outcome is Outcome.UNREACHABLE else worst.outcome.value
    return {"outcome": outcome, "address": str(worst.address), "said": worst.seen, "at": now.isoformat()}


def problems(knocks: Iterable[Knock], *, shut: bool) -> tuple[str, ...]:
    """Return what is wrong with the outcomes of a round, in sentences. A shut endpoint is not to be reached."""
    wrong = {Outcome.ANSWERED} if shut else {Outcome.ANSWERED, Outcome.UNREACHABLE}
    return tuple(f"the canary at {each}" for each in knocks if each.outcome in wrong)


class Canary:
    """Knocks at each address after every push that the hub's Envoy confirmed, and on a schedule. `shut` is told why.

    That is the listener of the state, and those of all nodes but the ones that `elsewhere` names: another control plane
    sees to them. `addresses` are knocked at as well, and what is not reached there is a problem; where a node is not
    reached, its verdict says so: between it and the control plane may be a wall that customers do not meet.
    `server_ca` returns the hub's server CAs in PEM, as they are now: whoever does not have the endpoint's certificate
    cannot have the endpoint shut. `directory` is a private one. `going` is told the address and port that each knock
    comes from, before it: what fails there is nobody's mistake.
    """

    def __init__(
        self,
        state: HubState,
        addresses: Iterable[Address],
        server_ca: Callable[[], str],
        shut: Callable[[HubState, str], Awaitable[object]],
        directory: Path,
        going: Going | None = None,
        elsewhere: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._state = state
        self._addresses = tuple(addresses)
        self._server_ca = server_ca
        self._shut = shut
        self._directory = directory
        self._going = going
        self._elsewhere = elsewhere
        self.problem = ""
        self.refused_at: dict[str, float] = {}
        self.verdicts: dict[str, dict[str, str]] = {}
        self._shutting: asyncio.Future[object] | None = None

    def follow(self, state: HubState) -> None:
        """Take this state for the one that is published."""
        self._state = state

    async def run(self, ads: AdsServer) -> None:
        """Knock until this task is cancelled; what fails is told, and tried again."""
        version = ""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN if self.problem else _INTERVAL):
                    version = await ads.confirmed_other_than(version)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - whatever it was: a canary that is silent is taken for a good one
                self._tell(f"the canary cannot look at the endpoint: {type(error).__name__}: {error}")
            # Pushes that come close together are looked at together.
            await asyncio.sleep(_AGAIN)

    async def look(self) -> tuple[Knock, ...]:
        """Knock at each address as each stranger, and have the endpoint shut if one is let in."""
        state = self._state
        ours = dict.fromkeys((Door(reachable(state.inbound), embedded_node(state.environment.value)),))
        ours |= dict.fromkeys(Door(reachable(each)) for each in self._addresses)
        doors = (*ours, *doors_of_nodes(state, self._elsewhere()))
        self.verdicts = {each.node: self.verdicts[each.node] for each in doors if each.node in self.verdicts}
        at_doors = {str(each.address) for each in doors}
        # When it was seen last, whoever looks there now says: what is told grows old, and somebody is woken for it.
        self.refused_at = {address: at for address, at in self.refused_at.items() if address in at_doors}
        at_once = asyncio.Semaphore(_AT_ONCE)
        found = await asyncio.gather(*(self._look_at(each, state, at_once) for each in doors))
        knocks = [knock for at_door in found for knock in at_door]
        wanted = {each.address for each in ours}
        self._tell("; ".join(problems((each for each in knocks if each.address in wanted), shut=bool(state.shut))))
        answered = [str(each) for each in knocks if each.outcome is Outcome.ANSWERED]
        if answered and not state.shut:
            await self._shut(self._state, "; ".join(answered))
        return tuple(knocks)

    async def knock(self, node: str) -> Callable[[], Awaitable[str]]:
        """Look at a node that is to be given a change before all others; return what looks again once it has it.

        That returns what is wrong there, empty if nothing is. Where strangers were not seen to be refused before,
        nobody can say that they are not any more. What a round saw does not count: it may have come after the change.
        """
        _, before = await self._seen(node, _TRIES)
        refused = before.get("outcome") == Outcome.REFUSED.value

        async def again() -> str:
            let_in, seen = await self._seen(node, _TRIES if refused else 1)
            if let_in:
                return f"and let a stranger in: {let_in}"
            if not refused or seen["outcome"] != Outcome.UNREACHABLE.value:
                return ""
            return f"and strangers are not seen to be refused at {seen['address']} any more: {seen['said']}"

        return again

    async def _seen(self, node: str, tries: int) -> tuple[str, dict[str, str]]:
        """Look until a node is reached, or this often, and have the endpoint shut if it lets a stranger in.

        Return who was let in, and the verdict, empty if nobody knows where to knock.
        """
        state = self._state
        own = Door(reachable(state.inbound), embedded_node(state.environment.value))
        if (door := {each.node: each for each in (*doors_of_nodes(state), own)}.get(node)) is None:
            return "", {}
        for again in range(tries):
            await asyncio.sleep(_AGAIN if again else 0)
            knocks = await self._look_at(door, state, asyncio.Semaphore())
            outcome = self.verdicts[node]["outcome"]
            if outcome == Outcome.ANSWERED.value and not state.shut:
                let_in = "; ".join(str(each) for each in knocks if each.outcome is Outcome.ANSWERED)
                # Not here: who asks ends, when something else is published.
                self._shutting = asyncio.ensure_future(self._shut(self._state, let_in))
                return let_in, self.verdicts[node]
            if outcome != Outcome.UNREACHABLE.value:
                break
        return "", self.verdicts[node]

    async def _look_at(self, door: Door, state: HubState, at_once: asyncio.Semaphore) -> tuple[Knock, ...]:
        async with at_once:
            strangers = self._strangers(state, await asyncio.to_thread(self._server_ca))
            knocks = tuple([await self._knock(door.address, *each) for each in strangers])
        if all(each.outcome is Outcome.REFUSED for each in knocks):
            self.refused_at[str(door.address)] = time.time()
        if door.node:
            self.verdicts[door.node] = verdict(knocks, datetime.now(UTC), shut=bool(state.shut))
        return knocks

    def _strangers(self, state: HubState, server_ca: str) -> tuple[tuple[str, ssl.SSLContext], ...]:
        issuer = x509.load_pem_x509_certificates(state.trust.pem.encode())[-1].subject
        twin = ssl.create_default_context(cadata=server_ca)
        with files.readable(foreign_certificate(issuer), self._directory) as path:
            twin.load_cert_chain(path)
        return (
            ("without a certificate", ssl.create_default_context(cadata=server_ca)),
            ("with the certificate of a foreign CA of the same name", twin),
        )

    async def _knock(self, address: Address, stranger: str, context: ssl.SSLContext) -> Knock:
        heard, error = b"", None
        try:
            heard = await _heard(address, self._state.host, context, self._going)
        except (OSError, TimeoutError) as raised:
            error = raised
        return Knock(address, stranger, *judge(heard, error))

    def _tell(self, problem: str) -> None:
        # Once, and not at every knock: a log that repeats itself is read by nobody.
        if problem and problem != self.problem:
            _log.error("%s", problem)
        self.problem = problem


async def _heard(address: Address, host: str, context: ssl.SSLContext, going: Going | None) -> bytes:
    """Shake hands and ask; return the first bytes of the answer. Raises `OSError` with the alert, `TimeoutError`.

    In TLS 1.3 the server speaks of the certificate after the client's handshake is over (RFC 8446 section 4.4.2.4). It
    is waited for before anything is sent: what is written to a closed connection can cost the reason.
    """
    async with asyncio.timeout(_PATIENCE):
        plain = await _connected(address)
        if going:
            await going(*plain.getsockname()[:2])
        reader, writer = await asyncio.open_connection(sock=plain, ssl=context, server_hostname=host)
        try:
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(reader.read(_SHOWN), _QUIET)
            writer.write(f"GET /connectivity HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return await reader.read(_SHOWN)
        finally:
            writer.transport.abort()


async def _connected(address: Address) -> socket.socket:
    """Return a connection, before anything is said on it. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    # A node may be known by a name.
    [(family, kind, _, _, place), *_] = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    plain = socket.socket(family, kind)
    try:
        plain.setblocking(False)
        await loop.sock_connect(plain, place)
    except BaseException:
        plain.close()
        raise
    return plain
