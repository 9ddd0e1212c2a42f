"""The probe of a customer's server: a look from all sides, then one request through the real Envoy egress.

The look finds causes; the outbound flow is established by the request alone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bothways.connectivity.evidence import Evidence
from bothways.connectivity.facts import ProbeFact
from bothways.connectivity.verdicts import findings, node_findings, risk
from bothways.errors import Conflict
from bothways.findings import Finding
from bothways.operations.chains import list_chains
from bothways.operations.endpoints import record_probe, show_endpoint
from bothways.operations.hub import Hub
from bothways.outbound.callers import Callers, callers_for, make_callers
from bothways.outbound.calls import calls_by_all, require_running
from bothways.outbound.look import Look, Say
from bothways.pki.chain import parse_anchors
from bothways.registry.endpoint import Endpoint
from bothways.spoke.addresses import Answer
from bothways.spoke.knock import Chain
from bothways.spoke.resolver import Question
from bothways.store.chains import ChainState

Ask = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe: what it comes to, what was found, and what was seen."""

    fact: ProbeFact
    findings: tuple[Finding, ...]
    evidence: Evidence

    def document(self) -> dict[str, Any]:
        """Return the probe as the JSON object that API and command line show."""
        return self.fact.document() | {
            "findings": [each.document() for each in self.findings],
            "evidence": self.evidence.document(),
        }


def probe_target(hub: Hub, tsp_id: str) -> Endpoint:
    """Return where a probe would go. Raises `NotFound` without endpoint, `Conflict` without endorsed chain."""
    endpoint = show_endpoint(hub, tsp_id)
    _endorsed(hub, tsp_id)
    return endpoint


def probe_customer(
    hub: Hub, tsp_id: str, callers: Callers | None = None, say: Say | None = None, ask: Ask | None = None
) -> Probe:
    """Look at the customer's server from all sides, call it once, record what was seen, and return it (R2, R11 to R15).

    An HTTP answer of the server through Envoy proves the path: its chain was verified against the endorsed anchors, its
    host name matched, and it let our certificate in. `callers` are made anew if none are given; `say` is told each
    stage as it is over; `ask` asks DNS. Raises `NotFound` without endpoint, `Conflict` without endorsed chain, or if
    the hub does not run; then nothing is recorded.
    """
    look, tell = _look(hub, tsp_id, ask), say or (lambda *_: None)
    require_running(hub)
    endpoint, at = look.endpoint, look.now
    callers = callers_for(hub, tsp_id, callers or make_callers(hub))
    evidence = asyncio.run(look.evidence(callers, tell))
    found = list(findings(evidence, look.anchors, at, loopback_allowed=look.loopback_allowed))
    own, *others = calls = calls_by_all(hub, tsp_id, callers.prober)
    for each in calls:
        tried = f" ({each.tried})" if each.tried else ""
        tell("call", f"{each.node}: {each.said}{tried}" if others else each.said)
    if own.failed:
        message = f"the request through the hub's Envoy failed: {own.said}"
        own_log = "Ask the hub's operator." if own.away else "Look at the server's own log."
        hint = "Mend what the other findings name, then probe again." if found else own_log
        found.append(Finding("PROBE-CALL-01", message, hint, "R2", endpoint.host))
    found += node_findings(calls, endpoint.host)
    evidence = replace(evidence, calls=calls)
    fact = ProbeFact(endpoint.address, at, not own.failed, own.said, "" if own.failed else risk(found))
    record_probe(hub, tsp_id, fact, found, evidence)
    return Probe(fact, tuple(found), evidence)


def _look(hub: Hub, tsp_id: str, ask: Ask | None) -> Look:
    endpoint = show_endpoint(hub, tsp_id)
    return Look(
        endpoint,
        endpoint.path + hub.terms.outbound.probe_path,
        _endorsed(hub, tsp_id),
        hub.now(),
        loopback_allowed=hub.settings.danger_outbound_loopback,
        ask=ask or Question().ask,
    )


def _endorsed(hub: Hub, tsp_id: str) -> Chain:
    """Return the anchors that are endorsed for the customer. Raises `Conflict` if there are none."""
    chains = [each for each in list_chains(hub, tsp_id) if each.state is ChainState.ENDORSED]
    if not chains:
        raise Conflict(
            f"customer {tsp_id} has no endorsed chain, so nothing can be trusted: submit one, and have it endorsed.",
            "Look at: bothways chain list",
        )
    return tuple(certificate for each in chains for certificate in parse_anchors(each.pem.encode(), "endorsed chain"))
