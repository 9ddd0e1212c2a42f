"""A look at a customer's server from all sides: DNS, TCP, TLS, chain, and who gets in. Nothing is recorded here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bothways.connectivity.evidence import Admission, Caller, DnsSeen, Evidence, Outcome
from bothways.errors import Refused
from bothways.outbound.callers import Callers
from bothways.pki.hello import TLS_1_2, VERSIONS
from bothways.pki.path import certification_path
from bothways.registry.addresses import refused_range
from bothways.registry.endpoint import Endpoint
from bothways.spoke.addresses import Answer, Found, Missing
from bothways.spoke.knock import Chain, Target, knock, presented, tcp, version

ADDRESSES_MOST = 8
"""Addresses of one host that are connected to."""

Say = Callable[[str, str], None]
"""Told the name of a stage when it is over, and what was seen, in words."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where to look, and what is allowed: `path` is asked for, `anchors` are endorsed, `now` judges dates.

    `loopback_allowed` is the dangerous setting; no other special address is ever connected to. `ask` asks DNS.
    """

    endpoint: Endpoint
    path: str
    anchors: Chain
    now: datetime
    loopback_allowed: bool
    ask: Callable[[str], Answer]

    async def evidence(self, callers: Callers, say: Say) -> Evidence:
        """Return what is seen, as far as one gets: a stage that fails is the last."""
        dns = await self._dns()
        say(
            "dns", f"{', '.join(dns.addresses)} for {dns.ttl:.0f} s" if dns.addresses else dns.failure or "no such name"
        )
        targets = self._targets(dns)
        reached = tuple(await asyncio.gather(*(tcp(each.address, each.port) for each in targets)))
        where = "; ".join(f"{each.address} {each.failure or 'connected'}" for each in reached)
        say("tcp", where or "there is nowhere to connect to")
        target = next((each for each, seen in zip(targets, reached, strict=True) if not seen.failure), None)
        if target is None:
            return Evidence(dns, reached)
        versions = tuple(await asyncio.gather(*(version(target, each) for each in VERSIONS)))
        say("tls", ", ".join(f"{each.version} {'offered' if each.offered else 'not offered'}" for each in versions))
        if not any(seen.offered for number, seen in zip(VERSIONS, versions, strict=True) if number >= TLS_1_2):
            return Evidence(dns, reached, versions)
        chain, failure = await presented(target, callers.contexts[Caller.NOBODY])
        say("chain", " <- ".join(each.subject.rfc4514_string() for each in chain) or failure)
        if not self._believed(chain):
            # What is not the customer's server gets neither a request nor a certificate of ours.
            return Evidence(dns, reached, versions, chain, failure)
        admissions = tuple(await self._admissions(target, callers, tuple(callers.contexts)))
        for each in admissions:
            say("caller", f"{each.caller.value}: {each}")
        return Evidence(dns, reached, versions, chain, "", admissions)

    async def _admissions(self, target: Target, callers: Callers, wanted: Sequence[Caller]) -> list[Admission]:
        """Knock as all at once; who heard nothing knocks again alone, for some servers take one caller at a time."""

        def one(caller: Caller) -> Awaitable[Admission]:
            return knock(target, caller, callers.contexts[caller], self._believed)

        seen = await asyncio.gather(*(one(each) for each in wanted))
        if all(each.outcome is Outcome.SILENT for each in seen):
            return seen
        return [await one(each.caller) if each.outcome is Outcome.SILENT else each for each in seen]

    async def _dns(self) -> DnsSeen:
        host = self.endpoint.host
        answer = await asyncio.to_thread(self.ask, host)
        if isinstance(answer, Found):
            ttl = min((*answer.ttls.values(), *answer.chain), default=0.0)
            return DnsSeen(host, tuple(answer.ttls), ttl, answer.aliases)
        return DnsSeen(host, missing=True) if isinstance(answer, Missing) else DnsSeen(host, failure=answer.reason)

    def _targets(self, dns: DnsSeen) -> list[Target]:
        """Return where to connect to: IPv4 if there is any, as Envoy does it, and never a special address."""
        public = [each for each in dns.addresses if not refused_range(each, loopback_allowed=self.loopback_allowed)]
        chosen = [each for each in public if ":" not in each] or public
        port, host = self.endpoint.port, self.endpoint.host
        return [Target(each, port, host, self.path) for each in chosen[:ADDRESSES_MOST]]

    def _believed(self, sent: Chain) -> bool:
        """Tell whether a chain is one of the customer's server, as far as can be told here; Envoy has the last word."""
        try:
            return bool(sent) and bool(certification_path(sent, self.anchors, self.endpoint.host, self.now))
        except Refused:
            return False
