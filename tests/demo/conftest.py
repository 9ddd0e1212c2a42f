"""The demo as its users have it: one whole run for all tests, a stage to break things on, and what is left behind."""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.processes import processes_in

from bothways.contract.document import Environment
from bothways.demo.command import run_steps
from bothways.demo.stage import Scene, Stage, set_stage
from bothways.demo.step import StepResult
from bothways.demo.steps import all_steps

Play = Callable[[str, Callable[[Scene], None]], list[StepResult]]


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose path leaves room for the names of unix sockets."""
    with tempfile.TemporaryDirectory(prefix="b-") as directory:
        yield Path(directory)


@pytest.fixture
def left_behind(short_directory: Path) -> Callable[[], list[object]]:
    """Return a finder of the files and processes that are left in the short directory."""
    return lambda: [*short_directory.iterdir(), *processes_in(short_directory)]


@pytest.fixture(scope="session")
def demo_outcome(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `bothways demo --once --json` came to, and left behind; run once, for all test processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    kept = shared / "demo-outcome.json"
    with (shared / "demo-outcome.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_file():
            kept.write_text(json.dumps(_run_demo()))
    return json.loads(kept.read_text())


def _run_demo() -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="b-") as directory:
        done = subprocess.run(
            [sys.executable, "-m", "bothways", "demo", "--once", "--json"],
            env=os.environ | {"TMPDIR": directory},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        left = [*map(str, Path(directory).iterdir()), *processes_in(Path(directory))]
    return {"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr, "left": left}


@pytest.fixture(scope="session")
def seen(demo_outcome: Any) -> dict[str, str]:
    """What each step of the whole run saw, by environment and id."""
    return {f"{each['environment']} {each['id']}": each["seen"] for each in json.loads(demo_outcome["stdout"])}


@pytest.fixture
def stage(short_directory: Path) -> Iterator[Stage]:
    with set_stage(short_directory / "d") as made:
        yield made


@pytest.fixture
def play(stage: Stage) -> Play:
    """Return a player of all steps that breaks something in PPR after the step that is named."""

    def run(after: str, breaking: Callable[[Scene], None]) -> list[StepResult]:
        results = []
        for outcome in run_steps(all_steps(), stage):
            results.append(outcome)
            if (outcome.step.environment, outcome.step.id) == (Environment.PPR, after):
                assert outcome.ok, outcome.seen
                breaking(stage.scenes[Environment.PPR])
        return results

    return run


@pytest.fixture
def only_failure() -> Callable[[list[StepResult]], tuple[str, str]]:
    """Return a reader of results: the one step that failed, and what it saw; no later one was run."""

    def read(results: list[StepResult]) -> tuple[str, str]:
        place = next(number for number, each in enumerate(results) if not each.ok)
        failed = f"{results[place].step.environment.value} {results[place].step.id}"
        assert {(each.ok, each.seen) for each in results[place + 1 :]} == {(False, f"not run, because {failed} failed")}
        assert len(results) == len(all_steps())
        return failed, results[place].seen

    return read
