"""What is seen of the machine; imagined is only how full a disk is, and what the kernel says of the clock."""

import resource
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import envoy_pid, running

from bothways.doctor import machine
from bothways.doctor.machine import ROOM_LEAST, ROOM_WANTED, keeps_time, machine_steps
from bothways.findings import Finding, Level, Step
from bothways.operations.hub import Hub

Seen = Callable[[], dict[str, Step]]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def steered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "keeps_time", lambda: True)


@pytest.fixture
def seen(hub: Hub) -> Seen:
    return lambda: {each.name: each for each in machine_steps(hub.directory, hub.settings)}


def found(step: Step) -> list[tuple[str, str]]:
    return [(each.id, each.subject) for each in step.findings]


def test_a_hub_as_it_was_made_has_no_finding(seen: Seen) -> None:
    assert {name: each.findings for name, each in seen().items() if each.findings} == {}


def test_what_others_could_read_or_change_is_found_file_by_file(hub: Hub, seen: Seen) -> None:
    key = hub.directory / "keys" / "left.key"
    key.parent.mkdir()
    key.touch()
    for path, mode in ((key, 0o640), (hub.directory / "hub.toml", 0o664), (hub.directory / "passphrase", 0o604)):
        path.chmod(mode)
    step = seen()["files"]
    assert found(step) == [
        ("DOCTOR-FILE-01", str(hub.directory / "hub.toml")),
        ("DOCTOR-FILE-01", str(hub.directory / "passphrase")),
        ("DOCTOR-FILE-01", str(key)),
    ]
    # What the hints say mends it.
    for each in step.findings:
        command = each.hint.removeprefix("Run: ").partition(",")[0].removesuffix(".")
        subprocess.run(command.split(), check=True)
    assert seen()["files"].findings == ()


@pytest.mark.parametrize(
    ("free", "level"), [(ROOM_WANTED, None), (ROOM_WANTED - 1, Level.WARNING), (ROOM_LEAST - 1, Level.ERROR)]
)
def test_a_disk_that_fills_is_told_before_it_is_full(
    seen: Seen, monkeypatch: pytest.MonkeyPatch, free: int, level: Level | None
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(ROOM_WANTED * 2, 0, free))
    findings: tuple[Finding, ...] = seen()["room on the disk"].findings
    assert [(each.id, each.level) for each in findings] == ([("DOCTOR-DISK-01", level)] if level else [])


def test_the_kernel_says_whether_a_time_service_steers_the_clock() -> None:
    assert keeps_time() in {True, False, None}


def test_a_clock_that_nothing_steers_is_told_and_one_that_cannot_be_asked_is_not(
    seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kept, ids in ((True, []), (None, []), (False, ["DOCTOR-CLOCK-01"])):
        monkeypatch.setattr(machine, "keeps_time", lambda kept=kept: kept)
        assert [each.id for each in seen()["clock"].findings] == ids


def test_an_envoy_that_is_not_there_is_told(hub: Hub, tmp_path: Path) -> None:
    settings = replace(hub.settings, envoy=str(tmp_path / "none"))
    steps = {each.name: each for each in machine_steps(hub.directory, settings)}
    assert [each.id for each in steps["Envoy's program"].findings] == ["DOCTOR-ENVOY-01"]


@pytest.mark.envoy
def test_an_envoy_that_may_open_too_few_files_is_told(hub: Hub, seen: Seen) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = min(4096, before[1])
    with running(hub):
        pid = envoy_pid(hub)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, few))
        assert [each.id for each in seen()["open files"].findings] == ["DOCTOR-OPEN-01"]
        assert f"may have {few}" in seen()["open files"].said
