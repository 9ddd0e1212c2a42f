"""`bothways demo`: run the steps, tell them, and stay up to be tried by hand unless `--once` is given."""

import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

from cyclopts import Parameter

from bothways.cli import exit as codes
from bothways.cli.output import Json, result, tell
from bothways.dataplane.envoy import find_envoy
from bothways.demo.stage import Stage, set_stage
from bothways.demo.step import Step, StepResult, run_step
from bothways.demo.steps import all_steps
from bothways.demo.tour import tour

_LOOK_SECONDS = 0.5


def demo(
    *,
    once: Annotated[
        bool, Parameter(negative="", help="End after the steps, instead of staying up to be tried.")
    ] = False,
    json: Json = False,
) -> int:
    """Two hubs (PPR, PRD), an issuer and a merchant: every step of both flows, over real TLS."""
    find_envoy()
    with _ended_by_signals(), tempfile.TemporaryDirectory(prefix="bothways-demo-") as directory:
        started = time.perf_counter()
        if not json:
            tell("Starting two hubs, each with its own Envoy ...")
        with set_stage(Path(directory)) as stage:
            results = [_told(each, quiet=json) for each in run_steps(all_steps(), stage)]
            seconds = time.perf_counter() - started
            passed = sum(each.ok for each in results)
            text = f"\n{passed} of {len(results)} steps were seen, in {seconds:.1f} s."
            result([each.document() for each in results], text, as_json=json)
            if passed < len(results):
                return codes.FAILED
            if not once:
                tell(tour(stage))
                _wait(stage)
    return codes.OK


def run_steps(steps: tuple[Step, ...], stage: Stage) -> Iterator[StepResult]:
    """Run the steps in order. After one has failed, the later ones, which stand on it, are told as not run."""
    failed = ""
    for step in steps:
        if failed:
            yield StepResult(step, ok=False, seen=f"not run, because {failed} failed", milliseconds=0.0)
            continue
        outcome = run_step(step, stage)
        if not outcome.ok:
            failed = f"{step.environment.value} {step.id}"
        yield outcome


def _told(outcome: StepResult, *, quiet: bool) -> StepResult:
    if not quiet:
        step = outcome.step
        mark = _coloured("ok    ", 32) if outcome.ok else _coloured("FAILED", 31)
        head = f" {step.environment.value} {step.flow:<8} {step.what}"
        result({}, f"{head}\n       {outcome.seen} ({outcome.milliseconds:.0f} ms)", as_json=False, mark=mark)
    return outcome


def _coloured(text: str, colour: int) -> str:
    if "NO_COLOR" in os.environ or not sys.stdout.isatty():
        return text
    return f"\033[{colour}m{text}\033[0m"


def _wait(stage: Stage) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        while all(scene.process.running for scene in stage.scenes.values()):
            time.sleep(_LOOK_SECONDS)
        tell("A hub has ended, and so does the demo.")
    tell("Ending everything that was started ...")


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does: by an exception, so that everything is cleaned up.

    SIGINT is set too: a shell that starts the demo in the background has it ignored.
    """

    def end(number: int, _frame: object) -> NoReturn:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
