"""The state of both flows of a customer, derived from facts: `assess(facts, now)`. A table of steps for each flow."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bothways.connectivity.facts import CertificateFact, Facts, ProbeFact
from bothways.registry.flow import Flow

EXPIRING = timedelta(days=30)
"""How long before an end of validity a flow counts as at risk."""


_REVIEW = "it waits for the operator's review"


class State(StrEnum):
    """How far a flow is, for people. What it opens is `FlowAssessment.open`."""

    NOT_STARTED = "not started"
    IN_PROGRESS = "in progress"
    ESTABLISHED = "established"
    AT_RISK = "at risk"
    BROKEN = "broken"
    SUSPENDED = "suspended"


class StepName(StrEnum):
    """What the lines of the checklists are about: three of each flow."""

    REQUEST = "request"
    CERTIFICATE = "certificate"
    CONNECTED = "connected"
    ENDPOINT = "endpoint"
    CHAIN = "chain"
    PROBED = "probed"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a flow's checklist: what it is, whether it is done, and what was seen or is to be done next.

    `under_review` tells that the customer has done its part, and the hub has not decided yet.
    """

    name: StepName
    done: bool
    said: str
    under_review: bool = False


@dataclass(frozen=True, slots=True)
class FlowAssessment:
    """The state of one flow with the checklist it follows from; `reason` says why, in a sentence."""

    flow: Flow
    state: State
    reason: str
    steps: tuple[Step, ...]

    @property
    def open(self) -> bool:
        """Tell whether services that need the flow are reachable (R2).

        A flow that was proved stays open when its last probe failed: the calls themselves are the better probe.
        """
        return self.state is not State.SUSPENDED and all(step.done for step in self.steps)

    def document(self) -> dict[str, object]:
        """Return the assessment as the JSON object that API and command line show."""
        steps = [{"name": step.name.value, "done": step.done, "said": step.said} for step in self.steps]
        return {"flow": self.flow.value, "state": self.state.value, "reason": self.reason, "steps": steps}


@dataclass(frozen=True, slots=True)
class Assessment:
    """Both flows of one customer."""

    inbound: FlowAssessment
    outbound: FlowAssessment

    @property
    def open_flows(self) -> frozenset[Flow]:
        """The flows that are established."""
        return frozenset(each.flow for each in (self.inbound, self.outbound) if each.open)


def assess(facts: Facts, now: datetime) -> Assessment:
    """Return the state of both flows at `now`. Total: every combination of facts has one."""
    return Assessment(_inbound(facts, now), _outbound(facts, now))


def _inbound(facts: Facts, now: datetime) -> FlowAssessment:
    active = [each for each in facts.certificates if each.active(now)]
    # What a revoked certificate once proved went with it: it may not have been the customer who used it.
    seen = [each.seen_at for each in facts.certificates if each.seen_at and each.revoked_at is None]
    submitted = bool(facts.requests_open or facts.certificates)
    review, waits = (_REVIEW, True) if facts.requests_open else ("submit a request (CSR)", False)
    steps = (
        Step(StepName.REQUEST, submitted, "submitted" if submitted else _refused_or(facts, "submit a request (CSR)")),
        Step(
            StepName.CERTIFICATE,
            bool(active),
            _until(max(each.not_after for each in active)) if active else review,
            waits,
        ),
        Step(StepName.CONNECTED, bool(seen), _at(max(seen)) if seen else "call GET /connectivity with the certificate"),
    )
    started = submitted or facts.requests_refused > 0
    lost = "" if active else _none_valid(facts.certificates, now)
    latest = max((each.not_after for each in active), default=None)
    return _flow(Flow.INBOUND, facts, steps, now, started=started, lost=lost, until=latest)


def _outbound(facts: Facts, now: datetime) -> FlowAssessment:
    anchors = [each for each in facts.anchors if each.until > now]
    probe, proof = (each if each and _concerns(each, facts) else None for each in (facts.probe, facts.proof))
    # A probe proves the chain that it met. One that was endorsed later may be of other keys, and vouch for nothing yet.
    proved = proof is not None and any(each.since <= proof.at for each in anchors)
    submitted, named = bool(facts.chains_open), bool(facts.endpoints_open)
    chain = _REVIEW if submitted else "submit the server's CA chain"
    server = _REVIEW if named else "name the server with its base URL"
    steps = (
        Step(StepName.ENDPOINT, facts.endpoint is not None, facts.endpoint or server, named),
        Step(
            StepName.CHAIN, bool(anchors), _until(max(each.until for each in anchors)) if anchors else chain, submitted
        ),
        Step(StepName.PROBED, proved, probe.seen if probe and (proved or not probe.ok) else "probe the server"),
    )
    lost = ""
    if facts.anchors and not anchors:
        lost = "no endorsed chain is valid any more"
    elif probe and not probe.ok:
        lost = f"the last probe failed: {probe.seen}"
    if facts.client_until and facts.client_until <= now:
        ended = f"{facts.client_until:%Y-%m-%d}"
        lost = f"the client certificate that the customer's CA signed for the hub ended on {ended}"
    started = facts.endpoint is not None or bool(facts.endpoints_open or facts.chains_open or facts.anchors)
    latest = max((each.until for each in anchors), default=None)
    risk = _client_risk(facts, now) or (probe.risk if probe and probe.ok else "")
    return _flow(Flow.OUTBOUND, facts, steps, now, started=started, lost=lost, until=latest, risk=risk)


def _concerns(probe: ProbeFact, facts: Facts) -> bool:
    """Tell whether the probe went to where the customer is called now, since it is.

    A host that was given up, and is named again, may have been somebody else's meanwhile.
    """
    since = facts.endpoint_since
    return probe.address == facts.endpoint and (since is None or since <= probe.at)


def _client_risk(facts: Facts, now: datetime) -> str:
    """Return what threatens the client certificate that the hub shows to the customer, or nothing."""
    if facts.client_until:
        if facts.client_until - now >= EXPIRING:
            return ""
        ends = f"expires on {facts.client_until:%Y-%m-%d}"
        return f"the client certificate that the customer's CA signed for the hub {ends}; request the next one"
    return f"the hub's new client certificate is not taken: {facts.held}" if facts.held else ""


def _flow(
    flow: Flow,
    facts: Facts,
    steps: tuple[Step, ...],
    now: datetime,
    *,
    started: bool,
    lost: str,
    until: datetime | None,
    risk: str = "",
) -> FlowAssessment:
    missing = next((step for step in steps if not step.done), None)
    if facts.suspended:
        state, reason = State.SUSPENDED, "the customer is suspended"
    elif lost:
        state, reason = State.BROKEN, lost
    elif missing:
        state = State.IN_PROGRESS if started else State.NOT_STARTED
        reason = f"{missing.name}: {missing.said}"
    elif risk:
        # Open all the same: the flow was proved, and to close it would be the very outage that is warned of.
        state, reason = State.AT_RISK, risk
    elif until is not None and until - now < EXPIRING:
        state, reason = State.AT_RISK, f"expires on {until:%Y-%m-%d}; renew now"
    else:
        state, reason = State.ESTABLISHED, steps[-1].said
    return FlowAssessment(flow, state, reason, steps)


def _none_valid(certificates: tuple[CertificateFact, ...], now: datetime) -> str:
    """Return why none of them opens the door, or nothing if there are none."""
    if not certificates:
        return ""
    if coming := [each.not_before for each in certificates if each.revoked_at is None and each.not_before > now]:
        return f"no certificate is valid yet: the next one begins on {min(coming):%Y-%m-%d %H:%M} UTC"
    if all(each.revoked_at for each in certificates):
        return "no certificate is valid any more: all are revoked"
    if not any(each.revoked_at for each in certificates):
        return "no certificate is valid any more: all are expired"
    return "no certificate is valid any more: all are expired or revoked"


def _refused_or(facts: Facts, otherwise: str) -> str:
    return "the last request was refused; submit another" if facts.requests_refused else otherwise


def _until(end: datetime) -> str:
    return f"valid until {end:%Y-%m-%d}"


def _at(moment: datetime) -> str:
    return f"last seen {moment:%Y-%m-%d %H:%M:%S} UTC"
