"""The whole examination, in order: this machine, what is stored, the network, what runs."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bothways.dataplane.standing import hub_standing
from bothways.doctor.machine import machine_steps
from bothways.doctor.network import network_steps
from bothways.doctor.report import Area, Report
from bothways.doctor.running import running_steps
from bothways.doctor.stored import stored_steps
from bothways.errors import BothwaysError
from bothways.findings import Finding, Step
from bothways.operations.hub import Hub, open_hub
from bothways.operations.settings import read_settings

Say = Callable[[Step], None]
"""Told each step as it is over."""

Ask = Callable[[Hub], dict[str, Any] | None]
"""Asks the running hub how it stands; None if it does not run. May raise `Unusable`."""


def examine(directory: Path, actor: str, ask: Ask, say: Say) -> Report:
    """Look at everything of the hub in `directory`, and return what was seen; `say` is told each step as it is over.

    What keeps one thing from being looked at is a finding itself. Raises `Refused` or `Unusable` if the settings cannot
    be read, for without them nothing can be found.
    """
    started = time.monotonic()
    steps: list[Step] = []
    for each in _steps(directory, actor, ask):
        steps.append(each)
        say(each)
    return Report(str(directory), tuple(steps), time.monotonic() - started)


def _steps(directory: Path, actor: str, ask: Ask) -> Iterator[Step]:
    yield from machine_steps(directory, read_settings(directory))
    try:
        with open_hub(directory, actor) as hub:
            yield from stored_steps(hub)
            running, silent = _asked(hub, ask)
            yield from network_steps(hub, runs=running is not None or silent is not None)
            if silent:
                yield silent
            else:
                yield from running_steps(hub, hub_standing(hub, running))
    except BothwaysError as error:
        hint = "Mend what it says, and look again: the rest was not looked at."
        found = Finding("DOCTOR-OPEN-02", f"the hub cannot be opened: {error}", hint, "R5", str(directory))
        yield Step(Area.STORED, "hub", "cannot be opened", (found,))


def _asked(hub: Hub, ask: Ask) -> tuple[dict[str, Any] | None, Step | None]:
    """Return what the running hub says, or the step that tells why one that runs does not say it."""
    try:
        return ask(hub), None
    except BothwaysError as error:
        hint = "Look at its log; if it hangs, start it again. Envoy goes on meanwhile."
        found = Finding("DOCTOR-HUB-03", f"the hub runs, and does not answer: {error}", hint, "R4")
        return None, Step(Area.RUNNING, "hub", "does not answer", (found,))
