"""The process beside Envoy, started as its service manager would start it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bothways.dataplane.envoy_state import state_of
from bothways.dataplane.supervised import supervisor_command
from bothways.operations.hub import Hub

Await = Callable[..., dict[str, Any]]


@pytest.fixture
def state_becomes(hub: Hub) -> Await:
    """Return a waiter for a state of the process beside Envoy, which it returns."""

    def wait(condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + 30
        while not condition(state := state_of(hub.run_directory)):
            assert time.monotonic() < end, state
            time.sleep(0.02)
        return state

    return wait


@pytest.fixture
def supervisor(hub: Hub, state_becomes: Await) -> Iterator["subprocess.Popen[bytes]"]:
    """`bothways hub envoy` for the test's hub, with its Envoy started."""
    log = hub.directory.parent / "supervisor.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(supervisor_command(hub.directory), stderr=errors)
    try:
        state_becomes(lambda state: state["pid"] is not None)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def is_alive(pid: int) -> bool:
    """Tell whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
