from dataclasses import replace
from datetime import timedelta

from tests.conftest import NOW

from bothways.connectivity.observation import FailedHandshake, MatchedBy, Observation, RefusedRequest
from bothways.findings import Finding

FINDING = Finding("INBOUND-TLS-01", "no client certificate was sent", "Give one.", "R1")


def test_failures_that_differ_in_time_alone_are_the_same() -> None:
    later = NOW + timedelta(hours=1)
    handshake = FailedHandshake(NOW, "192.0.2.1", "reason")
    request = RefusedRequest(NOW, "192.0.2.1", "ab", "", 403, "denied")
    assert {handshake, replace(handshake, at=later)} == {handshake}
    assert {request, replace(request, at=later)} == {request}
    assert replace(handshake, source="192.0.2.2") != handshake


def test_an_observation_is_a_document_with_its_finding_and_how_it_was_matched() -> None:
    later = NOW + timedelta(minutes=1)
    record = Observation(FINDING, "12345678", MatchedBy.SUBJECT, "192.0.2.1", "", NOW, later, 3, 9)
    assert record.document() == {
        "id": 9,
        "customer": "12345678",
        "matched_by": "subject",
        "finding": FINDING.document(),
        "source": "192.0.2.1",
        "fingerprint": None,
        "first_at": "2026-11-23T12:00:00+00:00",
        "last_at": "2026-11-23T12:01:00+00:00",
        "count": 3,
    }
    assert replace(record, tsp_id=None, matched_by=None).document()["matched_by"] is None


def test_what_is_a_claim_is_called_one() -> None:
    assert all(each.said for each in MatchedBy)
    assert [each for each in MatchedBy if "claims" in each.said] == [MatchedBy.SERIAL, MatchedBy.SUBJECT]
    assert [each for each in MatchedBy if each.said == "proved by its key"] == [MatchedBy.HANDSHAKE]
