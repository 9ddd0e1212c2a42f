"""A stored probe is read back as it was found."""

from datetime import datetime

from bothways.connectivity.facts import ProbeFact
from bothways.findings import Finding, Level
from bothways.store.endpoints import StoredProbe
from bothways.web.pages.evidence import shown_probes


def test_findings_come_back_and_evidence_may_be_missing(now: datetime) -> None:
    finding = Finding("PROBE-1", "seen", "mend", "R11", "host", Level.WARNING)
    fact = ProbeFact("host:443", now, ok=True, seen="answered 200")
    [shown, plain] = shown_probes(
        (StoredProbe(fact, {"findings": [finding.document()], "evidence": {"tcp": []}}), StoredProbe(fact, {}))
    )
    assert (shown["findings"], shown["evidence"]) == ((finding,), {"tcp": []})
    assert (plain["findings"], plain["evidence"]) == ((), None)
