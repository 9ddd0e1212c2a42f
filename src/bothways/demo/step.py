"""A step of the demo and its result: it passes only if what it promises was seen."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bothways.contract.document import Environment
from bothways.demo.stage import Stage


class NotSeen(Exception):
    """What the step promises was not seen; the text says what was seen instead."""


@dataclass(frozen=True, slots=True)
class Step:
    """`run` does the step and returns what was seen, in words. `what` says what is done."""

    id: str
    environment: Environment
    flow: str
    what: str
    run: Callable[[Stage], str]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What came of a step."""

    step: Step
    ok: bool
    seen: str
    milliseconds: float

    def document(self) -> dict[str, Any]:
        """Return the result as the JSON object that `demo --json` lists."""
        return {
            "id": self.step.id,
            "environment": self.step.environment.value,
            "flow": self.step.flow,
            "what": self.step.what,
            "ok": self.ok,
            "seen": self.seen,
            "milliseconds": self.milliseconds,
        }


def run_step(step: Step, stage: Stage) -> StepResult:
    """Run a step; whatever goes wrong in it is what was seen."""
    started = time.perf_counter()
    try:
        ok, seen = True, step.run(stage)
    except NotSeen as error:
        ok, seen = False, str(error)
    except Exception as error:  # noqa: BLE001 - a step that breaks has failed, and the others are still to be told
        ok, seen = False, f"{type(error).__name__}: {error}"
    return StepResult(step, ok, seen, round(1000 * (time.perf_counter() - started), 1))


def require(condition: object, seen: str) -> None:
    """Raise `NotSeen` with what was seen unless the condition holds."""
    if not condition:
        raise NotSeen(seen)
