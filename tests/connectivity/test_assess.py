import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.connectivity.assess import EXPIRING, FlowAssessment, State, assess
from bothways.connectivity.facts import AnchorFact, CertificateFact, Facts, ProbeFact
from bothways.registry.flow import Flow

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY, YEAR, SECOND = timedelta(days=1), timedelta(days=365), timedelta(seconds=1)
HOST, OTHER = "bank.example:443", "other.example:443"


def certificate(days: int = 365, *, revoked: bool = False, seen: bool = False) -> CertificateFact:
    end = NOW + timedelta(days=days)
    return CertificateFact(1, NOW - YEAR, end, NOW - DAY if revoked else None, NOW - DAY if seen else None)


def probe(address: str = HOST, *, ok: bool = True) -> ProbeFact:
    return ProbeFact(address, NOW - DAY, ok, "HTTP 200" if ok else "alert 48: unknown CA")


def test_what_a_successful_probe_warns_of_puts_the_flow_at_risk_and_leaves_it_open() -> None:
    facts = Facts(endpoint=HOST, anchors=(AnchorFact(NOW - YEAR, NOW + YEAR),), probe=probe(), proof=probe())
    assert assess(facts, NOW).outbound.state is State.ESTABLISHED
    flow = assess(replace(facts, probe=replace(probe(), risk="it pins")), NOW).outbound
    assert (flow.state, flow.reason, flow.open) == (State.AT_RISK, "it pins", True)


def summary(flow: FlowAssessment) -> tuple[State, str, list[bool], bool]:
    return flow.state, flow.reason, [step.done for step in flow.steps], flow.open


LOST = "no certificate is valid any more: all are"


@pytest.mark.parametrize(
    ("facts", "state", "reason", "done"),
    [
        (Facts(), State.NOT_STARTED, "request: submit a request (CSR)", "---"),
        (
            Facts(requests_refused=1),
            State.IN_PROGRESS,
            "request: the last request was refused; submit another",
            "---",
        ),
        (Facts(requests_open=1), State.IN_PROGRESS, "certificate: it waits for the operator's review", "x--"),
        (
            Facts(certificates=(certificate(),)),
            State.IN_PROGRESS,
            "connected: call GET /connectivity with the certificate",
            "xx-",
        ),
        (Facts(certificates=(certificate(seen=True),)), State.ESTABLISHED, "last seen 2026-11-22 12:00:00 UTC", "xxx"),
        (
            Facts(certificates=(certificate(29, seen=True),)),
            State.AT_RISK,
            "expires on 2026-12-22; renew now",
            "xxx",
        ),
        (
            Facts(certificates=(certificate(29, seen=True), certificate())),
            State.ESTABLISHED,
            "last seen 2026-11-22 12:00:00 UTC",
            "xxx",
        ),
        (Facts(certificates=(certificate(seen=True, revoked=True),)), State.BROKEN, f"{LOST} revoked", "x--"),
        (Facts(certificates=(certificate(0, seen=True),)), State.BROKEN, f"{LOST} expired", "x-x"),
        (Facts(certificates=(certificate(-1),), requests_open=1), State.BROKEN, f"{LOST} expired", "x--"),
        (
            Facts(certificates=(certificate(0), certificate(revoked=True))),
            State.BROKEN,
            f"{LOST} expired or revoked",
            "x--",
        ),
        # A certificate that comes back to its owner proves nothing for the next one.
        (
            Facts(certificates=(certificate(seen=True, revoked=True), certificate())),
            State.IN_PROGRESS,
            "connected: call GET /connectivity with the certificate",
            "xx-",
        ),
        (
            Facts(certificates=(replace(certificate(), not_before=NOW + DAY),)),
            State.BROKEN,
            "no certificate is valid yet: the next one begins on 2026-11-24 12:00 UTC",
            "x--",
        ),
        (
            Facts(certificates=(certificate(seen=True),), suspended=True),
            State.SUSPENDED,
            "the customer is suspended",
            "xxx",
        ),
        (Facts(suspended=True), State.SUSPENDED, "the customer is suspended", "---"),
    ],
)
def test_the_inbound_flow_follows_from_requests_and_certificates(
    facts: Facts, state: State, reason: str, done: str
) -> None:
    opened = done == "xxx" and not facts.suspended
    assert summary(assess(facts, NOW).inbound) == (state, reason, [each == "x" for each in done], opened)


def anchor(left: timedelta = YEAR, since: timedelta = YEAR) -> AnchorFact:
    return AnchorFact(NOW - since, NOW + left)


READY = Facts(endpoint=HOST, anchors=(anchor(),), probe=probe(), proof=probe())


@pytest.mark.parametrize(
    ("facts", "state", "reason", "done"),
    [
        (Facts(), State.NOT_STARTED, "endpoint: name the server with its base URL", "---"),
        (Facts(chains_open=1), State.IN_PROGRESS, "endpoint: name the server with its base URL", "---"),
        (Facts(endpoint=HOST), State.IN_PROGRESS, "chain: submit the server's CA chain", "x--"),
        (Facts(endpoint=HOST, chains_open=1), State.IN_PROGRESS, "chain: it waits for the operator's review", "x--"),
        (replace(READY, probe=None, proof=None), State.IN_PROGRESS, "probed: probe the server", "xx-"),
        (READY, State.ESTABLISHED, "HTTP 200", "xxx"),
        (replace(READY, anchors=(anchor(29 * DAY),)), State.AT_RISK, "expires on 2026-12-22; renew now", "xxx"),
        (replace(READY, anchors=(anchor(DAY), anchor())), State.ESTABLISHED, "HTTP 200", "xxx"),
        (replace(READY, anchors=(anchor(timedelta(0)),)), State.BROKEN, "no endorsed chain is valid any more", "x--"),
        # Endorsed after the probe: it met another chain, and proves nothing about this one.
        (replace(READY, anchors=(anchor(since=DAY / 2),)), State.IN_PROGRESS, "probed: probe the server", "xx-"),
        (replace(READY, anchors=(anchor(since=DAY),)), State.ESTABLISHED, "HTTP 200", "xxx"),
        (replace(READY, anchors=(anchor(), anchor(since=DAY / 2))), State.ESTABLISHED, "HTTP 200", "xxx"),
        (
            replace(READY, anchors=(anchor(timedelta(0)), anchor(since=DAY / 2))),
            State.IN_PROGRESS,
            "probed: probe the server",
            "xx-",
        ),
        (
            replace(READY, probe=probe(ok=False)),
            State.BROKEN,
            "the last probe failed: alert 48: unknown CA",
            "xxx",
        ),
        (
            replace(READY, probe=probe(ok=False), proof=None),
            State.BROKEN,
            "the last probe failed: alert 48: unknown CA",
            "xx-",
        ),
        (replace(READY, endpoint=OTHER), State.IN_PROGRESS, "probed: probe the server", "xx-"),
        (replace(READY, endpoint=OTHER, probe=probe(ok=False)), State.IN_PROGRESS, "probed: probe the server", "xx-"),
        (replace(READY, endpoint=None), State.IN_PROGRESS, "endpoint: name the server with its base URL", "-x-"),
        (replace(READY, suspended=True), State.SUSPENDED, "the customer is suspended", "xxx"),
    ],
)
def test_the_outbound_flow_follows_from_endpoint_chains_and_probe(
    facts: Facts, state: State, reason: str, done: str
) -> None:
    opened = done == "xxx" and not facts.suspended
    assert summary(assess(facts, NOW).outbound) == (state, reason, [each == "x" for each in done], opened)


@pytest.mark.parametrize(("left", "state"), [(EXPIRING, State.ESTABLISHED), (EXPIRING - SECOND, State.AT_RISK)])
def test_thirty_days_before_the_end_a_flow_is_at_risk(left: timedelta, state: State) -> None:
    fact = CertificateFact(1, NOW - YEAR, NOW + left, seen_at=NOW)
    both = assess(replace(READY, certificates=(fact,), anchors=(anchor(left),)), NOW)
    assert [both.inbound.state, both.outbound.state] == [state, state]


def test_open_flows_are_those_that_are_established() -> None:
    seen = replace(READY, certificates=(certificate(seen=True),))
    facts = [Facts(), Facts(certificates=seen.certificates), READY, seen, replace(seen, suspended=True)]
    assert [assess(each, NOW).open_flows for each in facts] == [
        set(),
        {Flow.INBOUND},
        {Flow.OUTBOUND},
        set(Flow),
        set(),
    ]


def test_the_document_shows_the_steps() -> None:
    assert assess(Facts(endpoint=HOST), NOW).outbound.document() == {
        "flow": "outbound",
        "state": "in progress",
        "reason": "chain: submit the server's CA chain",
        "steps": [
            {"name": "endpoint", "done": True, "said": HOST},
            {"name": "chain", "done": False, "said": "submit the server's CA chain"},
            {"name": "probed", "done": False, "said": "probe the server"},
        ],
    }


MOMENT = st.datetimes(timezones=st.just(UTC))
MAYBE = st.none() | MOMENT
ADDRESS = st.none() | st.sampled_from([HOST, OTHER, ""])
FACTS = st.builds(
    Facts,
    suspended=st.booleans(),
    requests_open=st.integers(0, 3),
    requests_refused=st.integers(0, 3),
    certificates=st.lists(st.builds(CertificateFact, st.integers(), MOMENT, MOMENT, MAYBE, MAYBE)).map(tuple),
    endpoint=ADDRESS,
    chains_open=st.integers(0, 3),
    anchors=st.lists(st.builds(AnchorFact, MOMENT, MOMENT)).map(tuple),
    probe=st.none() | st.builds(ProbeFact, st.sampled_from([HOST, OTHER]), MOMENT, st.booleans(), st.text()),
    proof=st.none() | st.builds(ProbeFact, st.sampled_from([HOST, OTHER]), MOMENT, st.just(True), st.text()),
)


@settings(deadline=None)
@given(FACTS, MOMENT)
def test_every_combination_of_facts_has_a_state_that_fits_what_is_open(facts: Facts, now: datetime) -> None:
    both = assess(facts, now)
    for flow in (both.inbound, both.outbound):
        if facts.suspended:
            assert (flow.state, flow.open) == (State.SUSPENDED, False)
        elif flow.open:
            assert flow.state in {State.ESTABLISHED, State.AT_RISK, State.BROKEN}
        else:
            assert flow.state in {State.NOT_STARTED, State.IN_PROGRESS, State.BROKEN}
        assert json.loads(json.dumps(flow.document()))["state"] == flow.state.value


@settings(deadline=None)
@given(FACTS, MOMENT)
def test_inbound_is_open_only_with_an_active_certificate_and_outbound_only_with_a_valid_chain(
    facts: Facts, now: datetime
) -> None:
    both = assess(facts, now)
    if both.inbound.open:
        assert any(each.active(now) for each in facts.certificates)
    if both.outbound.open:
        proof = facts.proof
        assert proof is not None
        assert facts.endpoint == proof.address
        assert any(each.since <= proof.at and each.until > now for each in facts.anchors)


def test_what_was_proved_before_the_server_was_named_proves_nothing() -> None:
    anchors = (AnchorFact(NOW - YEAR, NOW + YEAR),)
    facts = Facts(endpoint=HOST, anchors=anchors, probe=probe(), proof=probe())
    moments = [NOW - DAY - SECOND, NOW - DAY, NOW - DAY + SECOND]
    assert [assess(replace(facts, endpoint_since=each), NOW).outbound.open for each in moments] == [True, True, False]


def test_a_server_under_review_is_said_and_opens_nothing() -> None:
    outbound = assess(Facts(endpoints_open=1), NOW).outbound
    assert summary(outbound)[:2] == (State.IN_PROGRESS, "endpoint: it waits for the operator's review")


@pytest.mark.parametrize(
    ("left", "state", "reason"),
    [
        (timedelta(days=31), State.ESTABLISHED, "HTTP 200"),
        (timedelta(days=29), State.AT_RISK, "request the next one"),
        (timedelta(0), State.BROKEN, "the client certificate that the customer's CA signed for the hub ended on"),
    ],
)
def test_a_client_certificate_of_the_customers_own_ca_is_watched_and_closes_nothing(
    left: timedelta, state: State, reason: str
) -> None:
    flow = assess(replace(READY, client_until=NOW + left, held="an old story"), NOW).outbound
    assert flow.state is state
    assert reason in flow.reason
    assert flow.open


def test_a_customer_that_does_not_take_the_new_certificate_is_at_risk_and_called_all_the_same() -> None:
    flow = assess(replace(READY, held="answered 403"), NOW).outbound
    assert (flow.state, flow.open) == (State.AT_RISK, True)
    assert flow.reason == "the hub's new client certificate is not taken: answered 403"
