import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bothways.contract.document import Environment
from bothways.demo.command import run_steps
from bothways.demo.stage import Stage
from bothways.demo.step import Step

LeftBehind = Callable[[], list[object]]


def demo(directory: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start the demo as its user does, with its files in a directory of the test."""
    return subprocess.Popen(
        [sys.executable, "-m", "bothways", "demo", *arguments],
        env=os.environ | {"TMPDIR": str(directory)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.envoy
@pytest.mark.timeout(300)
def test_once_with_json_is_one_list_of_passed_steps_and_nothing_is_left(demo_outcome: Any) -> None:
    told = json.loads(demo_outcome["stdout"])
    assert [each for each in told if not each["ok"]] == []
    assert demo_outcome["code"] == 0
    assert {key for each in told for key in each} >= {"id", "environment", "flow", "ok", "seen", "milliseconds"}
    assert all(each["milliseconds"] > 0 and each["seen"] for each in told)
    assert {each["environment"] for each in told} == {"PPR", "PRD"}
    assert demo_outcome["left"] == []
    assert demo_outcome["stderr"] == ""


@pytest.mark.soak
@pytest.mark.envoy
@pytest.mark.timeout(300)
def test_a_broken_openssl_fails_its_step_and_the_demo_exits_with_1(
    short_directory: Path, left_behind: LeftBehind, tmp_path: Path
) -> None:
    stub = tmp_path / "openssl"
    stub.write_text("#!/bin/sh\necho out of order >&2\nexit 7\n")
    stub.chmod(0o755)
    with demo(short_directory, "--once", "--json", PATH=f"{tmp_path}:{os.environ['PATH']}") as process:
        out, err = process.communicate(timeout=200)
    told = json.loads(out)
    failed = next(each for each in told if not each["ok"])
    assert process.returncode == 1
    assert (failed["environment"], failed["id"]) == ("PPR", "merchant.csr")
    assert failed["seen"] == "openssl ended with 7: out of order"
    after = told[told.index(failed) + 1 :]
    assert {(each["ok"], each["seen"]) for each in after} == {(False, "not run, because PPR merchant.csr failed")}
    assert "Traceback" not in err
    assert left_behind() == []


@pytest.mark.envoy
@pytest.mark.parametrize(
    ("number", "waits_for", "code"),
    [
        (signal.SIGINT, "stderr", 130),
        pytest.param(signal.SIGINT, "stdout", 130, marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, "stdout", 143, marks=pytest.mark.soak),
    ],
    ids=["SIGINT while hubs start", "SIGINT after the first step", "SIGTERM after the first step"],
)
def test_a_signal_ends_everything_that_was_started(
    short_directory: Path, left_behind: LeftBehind, number: signal.Signals, waits_for: str, code: int
) -> None:
    with demo(short_directory) as process:
        assert process.stdout
        assert process.stderr
        first = {"stdout": process.stdout, "stderr": process.stderr}[waits_for].readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert first
    assert process.returncode == code
    assert "Traceback" not in err
    assert left_behind() == []


def test_after_a_failure_the_later_steps_are_not_run() -> None:
    def fine(_stage: Stage) -> str:
        return "fine"

    def broken(_stage: Stage) -> str:
        raise OSError("broken")

    def never(_stage: Stage) -> str:
        pytest.fail("a step was run after a failure")

    acts = {"first": fine, "second": broken, "third": never, "fourth": never}
    steps = tuple(Step(name, Environment.PPR, "inbound", name, act) for name, act in acts.items())
    outcomes = list(run_steps(steps, Stage(Path())))
    assert [(each.ok, each.seen) for each in outcomes] == [
        (True, "fine"),
        (False, "OSError: broken"),
        (False, "not run, because PPR second failed"),
        (False, "not run, because PPR second failed"),
    ]
