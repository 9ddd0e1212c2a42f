import json
from typing import Any

import pytest

from bothways.findings import Level
from bothways.pki.keys import sha256
from bothways.spoke.check.hub_answer import access_findings, contract_findings, earlier_findings, flow_steps, spoken
from bothways.spoke.client import Answer
from bothways.spoke.directory import Spoke

FLOW = {"state": "established", "reason": "seen"}
DOCUMENT = {"customer": "12345678", "environment": "PPR", "inbound": FLOW, "outbound": FLOW, "failures": []}


def answer(status: int, document: object) -> Answer:
    return Answer(status, {}, json.dumps(document).encode(), "TLSv1.3", "hub", 1.0)


def ids(spoke: Spoke, status: int, document: object) -> list[str]:
    given = answer(status, document)
    return [each.id for each in access_findings(given, spoken(given), spoke)]


@pytest.mark.parametrize(
    ("status", "document", "found"),
    [
        (200, DOCUMENT, []),
        (200, DOCUMENT | {"customer": "87654321"}, ["CHECK-ACCESS-04"]),
        (200, DOCUMENT | {"environment": "PRD"}, ["CHECK-ACCESS-04"]),
        (200, ["another hub"], ["CHECK-ACCESS-03"]),
        (404, {"detail": "nothing here"}, ["CHECK-ACCESS-03"]),
        (401, {}, ["CHECK-ACCESS-01"]),
        (403, {"detail": "suspended"}, ["CHECK-ACCESS-01"]),
        (503, "away", ["CHECK-ACCESS-02"]),
    ],
)
def test_what_a_status_says_of_us(spoke: Spoke, status: int, document: object, found: list[str]) -> None:
    assert ids(spoke, status, document) == found


def test_the_hubs_own_words_are_in_the_message(spoke: Spoke) -> None:
    [finding] = access_findings(answer(403, {"detail": "the customer\nis suspended"}), None, spoke)
    assert "with 403: the customer is suspended" in finding.message


@pytest.mark.parametrize(
    ("flow", "state", "found"),
    [
        ("inbound", "at risk", ("CHECK-FLOW-01", Level.WARNING)),
        ("inbound", "broken", ("CHECK-FLOW-01", Level.ERROR)),
        ("outbound", "not started", ("CHECK-FLOW-02", Level.WARNING)),
        ("outbound", "in progress", ("CHECK-FLOW-02", Level.WARNING)),
        ("outbound", "suspended", ("CHECK-FLOW-02", Level.ERROR)),
        ("outbound", "at risk", ("CHECK-FLOW-03", Level.WARNING)),
        ("outbound", "broken", ("CHECK-FLOW-03", Level.ERROR)),
        ("outbound", "something of a newer hub", ("CHECK-FLOW-02", Level.WARNING)),
    ],
)
def test_what_the_state_of_a_flow_means(flow: str, state: str, found: tuple[str, Level]) -> None:
    steps = flow_steps(DOCUMENT | {flow: {"state": state, "reason": "why"}}, "hub")
    assert [(each.id, each.level) for step in steps for each in step.findings] == [found]


def test_earlier_failures_are_told_and_refuse_nothing() -> None:
    finding = {"id": "INBOUND-TLS-01", "message": "no certificate was sent", "hint": "Send it.", "citation": "R1"}
    failures: list[Any] = [{"finding": finding, "count": 3}, {"finding": {"id": 7}}, "noise"]
    [told] = earlier_findings(DOCUMENT | {"failures": failures}, "hub")
    assert (told.id, told.level) == ("INBOUND-TLS-01", Level.INFO)
    assert told.message == "earlier, seen by the hub 3 times: no certificate was sent"


def test_a_contract_that_is_not_the_spokes_is_told(spoke: Spoke) -> None:
    ours = sha256(spoke.contract_file.read_bytes())
    for document in (None, DOCUMENT, DOCUMENT | {"contract": {"fingerprint": ours}}):
        assert [*contract_findings(document, spoke)] == []
    [found] = contract_findings(DOCUMENT | {"contract": {"fingerprint": "0" * 64}}, spoke)
    assert (found.id, found.level) == ("CHECK-CONTRACT-01", Level.WARNING)
