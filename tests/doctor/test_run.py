"""The whole examination: of a hub that runs, of one that cannot be opened, of one that does not answer."""

import pytest

from bothways.cli.opening import control
from bothways.doctor.run import examine
from bothways.errors import Unusable
from bothways.findings import Step
from bothways.operations.hub import Hub

# What this machine is, and what the hub of a test is allowed, is no matter here.
HERE = {"DOCTOR-CLOCK-01", "DOCTOR-OPEN-01", "DOCTOR-DANGER-01"}


@pytest.mark.envoy
def test_a_hub_that_runs_well_has_no_finding_in_any_area(running_hub: Hub) -> None:
    told: list[Step] = []
    report = examine(running_hub.directory, "tester", lambda hub: control(hub, "GET", "/status"), told.append)
    assert [each for each in report.findings if each.id not in HERE] == []
    assert {each.area.value for each in told} == {"machine", "stored", "network", "running"}
    assert report.steps == tuple(told)
    assert [each.said for each in told if each.name in {"endpoint", "portal"} and "answers as" not in each.said] == []


def test_what_keeps_a_hub_from_being_opened_is_a_finding_and_the_machine_is_looked_at(hub: Hub) -> None:
    (hub.directory / "contract.toml").unlink()
    report = examine(hub.directory, "tester", lambda _: None, lambda _: None)
    assert [each.id for each in report.findings if each.id not in HERE] == ["DOCTOR-OPEN-02"]
    assert "the hub's terms cannot be read" in report.findings[-1].message


def test_a_hub_that_runs_and_does_not_answer_is_told_and_its_ports_are_looked_at(hub: Hub) -> None:
    def silent(_: Hub) -> None:
        raise Unusable("it hangs")

    report = examine(hub.directory, "tester", silent, lambda _: None)
    found = [each.id for each in report.findings if each.id not in HERE]
    assert found == ["DOCTOR-DOOR-01", "DOCTOR-DOOR-01", "DOCTOR-HUB-03"]
