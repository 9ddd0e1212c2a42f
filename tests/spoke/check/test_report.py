import pytest

from bothways.findings import Finding, Level
from bothways.spoke.check.report import Area, Outcome, Report, Step


def finding(id_: str, level: Level = Level.ERROR, subject: str = "here") -> Finding:
    return Finding(id_, "seen", "Do it.", "R1", subject, level)


def report(*findings: Finding) -> Report:
    return Report("bank", "api.hub:443", "bank.example:8443", (Step(Area.LOCAL, "it", "said", findings),), 1.0)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([], Outcome.OK),
        ([finding("CHECK-SERVER-01", Level.WARNING)], Outcome.OK),
        ([finding("SPOKE-EXPIRING", Level.WARNING)], Outcome.EXPIRING),
        ([finding("CHECK-SERVER-03"), finding("SPOKE-EXPIRING", Level.WARNING)], Outcome.FAILED),
        ([finding("CHECK-TCP-01")], Outcome.NETWORK),
        ([finding("CHECK-TCP-01", Level.WARNING)], Outcome.OK),
        ([finding("CHECK-ALERT-44"), finding("CHECK-SERVER-03")], Outcome.NOT_AUTHORIZED),
        ([finding("CHECK-ALERT-48"), finding("INSTALL-02")], Outcome.FAILED),
    ],
)
def test_what_this_machine_lacks_comes_before_what_follows_from_it(found: list[Finding], outcome: Outcome) -> None:
    assert report(*found).outcome is outcome


def test_a_step_is_as_heavy_as_its_heaviest_finding() -> None:
    assert Step(Area.DNS, "it", "said").level == "ok"
    assert Step(Area.DNS, "it", "why not", made=False).level == "skipped"
    assert Step(Area.DNS, "it", "why not", (finding("A", Level.ERROR),), made=False).level == "error"
    both = (finding("A", Level.WARNING), finding("B"))
    assert [Step(Area.DNS, "it", "said", both[:each]).level for each in (1, 2)] == ["warning", "error"]
    assert Step(Area.DNS, "it", "said", (finding("A", Level.INFO),)).level == "ok"


def test_what_both_sides_saw_is_told_once_and_what_two_places_have_twice() -> None:
    found = report(finding("PROBE-NAME-04"), finding("PROBE-NAME-04"), finding("PROBE-NAME-04", subject="there"))
    assert [each.subject for each in found.findings] == ["here", "there"]


def test_each_finding_comes_with_cause_command_and_page() -> None:
    hub, server = report().explained(finding("CHECK-TCP-01")), report().explained(finding("PROBE-TCP-02"))
    assert hub["command"] == "nc -vz api.hub 443"
    assert server["command"] == "nc -vz bank.example 8443"
    assert report().explained(finding("SPOKE-KEY"))["command"] == "chmod 600 bank/tls.key"
    assert hub["link"] == "docs/check.md#check-tcp-01"
    assert report().document()["checks"][0]["name"] == "it"
