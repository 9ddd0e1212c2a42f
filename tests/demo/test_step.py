from collections.abc import Callable
from pathlib import Path

import pytest

from bothways.contract.document import Environment
from bothways.demo.stage import Stage
from bothways.demo.step import NotSeen, Step, require, run_step


def step(run: Callable[[Stage], str]) -> Step:
    return Step("issuer.call", Environment.PRD, "inbound", "call", run)


def test_a_step_that_saw_what_it_promises_is_ok() -> None:
    outcome = run_step(step(lambda stage: f"seen in {stage.directory}"), Stage(Path("/stage")))
    document = outcome.document()
    assert document.pop("milliseconds") == outcome.milliseconds >= 0
    assert document == {
        "id": "issuer.call",
        "environment": "PRD",
        "flow": "inbound",
        "what": "call",
        "ok": True,
        "seen": "seen in /stage",
    }


def test_what_was_seen_instead_is_told() -> None:
    def run(_stage: Stage) -> str:
        require({"an answer"}, "not this")
        require([], "200, and must be 403")
        return "never"

    outcome = run_step(step(run), Stage(Path()))
    assert (outcome.ok, outcome.seen) == (False, "200, and must be 403")


def test_whatever_goes_wrong_is_a_failure_and_not_a_crash() -> None:
    def run(stage: Stage) -> str:
        return str(stage.scenes[Environment.PPR])

    outcome = run_step(step(run), Stage(Path()))
    assert outcome.ok is False
    assert outcome.seen.startswith("KeyError: ")


def test_ctrl_c_is_no_failure_of_a_step() -> None:
    def run(_stage: Stage) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_step(step(run), Stage(Path()))


def test_require_raises_nothing_if_the_condition_holds() -> None:
    require("something", "never told")
    with pytest.raises(NotSeen, match="told"):
        require("", "told")
