"""What the report comes to."""

import pytest

from bothways.doctor.report import EXPIRING, Area, Outcome, Report, link
from bothways.findings import Finding, Level, Step

ENDS = Finding(EXPIRING, "it ends", "Renew it.", "R5", level=Level.WARNING)
WARNING = Finding("DOCTOR-DNS-01", "no address", "Add one.", "R10", "api.hub.example", Level.WARNING)
ERROR = Finding("AUDIT-01", "it is broken", "Look.", "R16")


@pytest.mark.parametrize(
    ("findings", "outcome"),
    [
        ((), Outcome.OK),
        ((WARNING,), Outcome.OK),
        ((WARNING, ENDS), Outcome.EXPIRING),
        ((ENDS, ERROR), Outcome.FAILED),
    ],
)
def test_the_worst_of_all_is_told_and_a_warning_alone_is_well(findings: tuple[Finding, ...], outcome: Outcome) -> None:
    assert Report("hub", (Step(Area.STORED, "audit", "1 line", findings),), 0.5).outcome is outcome


def test_the_document_has_each_step_and_each_finding_with_where_more_is_said() -> None:
    report = Report("hub", (Step(Area.MACHINE, "clock", "steered"), Step(Area.STORED, "a", "b", (ERROR, WARNING))), 0.5)
    document = report.document()
    assert [each["level"] for each in document["checks"]] == ["ok", "error"]
    assert [each["link"] for each in document["findings"]] == ["findings.md#audit-01", "doctor.md#doctor-dns-01"]
    assert (document["outcome"], document["directory"]) == ("failed", "hub")
    assert link("DOCTOR-HUB-01") == "doctor.md#doctor-hub-01"
