"""The whole check where nobody answers, and how one waits; with a hub, in tests/wire/test_spoke_check.py."""

from dataclasses import replace

from bothways.findings import Finding
from bothways.spoke.check.report import Area, Outcome, Report, Step
from bothways.spoke.check.run import check, check_until
from bothways.spoke.directory import Spoke

RIGHT = Report("bank", "hub:443", "", (), 0.1)
WRONG = replace(RIGHT, steps=(Step(Area.DNS, "it", "said", (Finding("CHECK-DNS-01", "m", "h", "c"),)),))


def test_each_step_is_told_as_it_is_over_and_the_report_has_them_all(ready_spoke: Spoke) -> None:
    told: list[Step] = []
    report = check(ready_spoke, told.append)
    assert report.steps == tuple(told)
    assert report.outcome is Outcome.NETWORK
    assert [each.id for each in report.findings] == ["CHECK-TCP-01"]
    assert report.hub.startswith("api.ppr.hub.localhost:")


def test_one_waits_until_all_is_right_and_no_longer() -> None:
    reports, slept = iter([WRONG, WRONG, RIGHT]), list[float]()
    assert check_until(lambda: next(reports), 3600, slept.append) is RIGHT
    assert len(slept) == 2


def test_a_time_that_is_over_ends_with_what_was_found_last() -> None:
    slept: list[float] = []
    assert check_until(lambda: WRONG, 1, slept.append) is WRONG
    assert slept == []
