"""What the process beside Envoy tells the others on its machine: the lock that it holds, the state that it writes."""

import contextlib
import fcntl
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from bothways import files
from bothways.errors import Conflict

LOCK, STATE = "envoy.lock", "envoy-state.json"
_LOCK_SECONDS, _LOOK = 1.0, 0.05

NOTHING: dict[str, Any] = {
    "supervisor": None,
    "pid": None,
    "started_at": None,
    "restarts": 0,
    "hot_restarts": 0,
    "source": "nobody",
    "snapshot": None,
    "binary": None,
    "problem": "",
}
"""The state where nothing runs, and all that a state has: process ids, when the Envoy that runs was started, how often
one was started again or took over, where its configuration comes from (`stand_in.Source`), the saved snapshot that it
was given if the hub is away, the fingerprint of its binary, and what a person has to mend beside a remote Envoy.
"""


@contextlib.contextmanager
def only_one(run_directory: Path) -> Iterator[None]:
    """Hold the lock of this directory. Raises `Conflict` if another process holds it."""
    with (run_directory / LOCK).open("a") as lock:
        # Whoever only looks holds it for a moment.
        end = time.monotonic() + _LOCK_SECONDS
        while not _taken(lock, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise Conflict(f"an Envoy is kept running in {run_directory} already. Look at its status")
            time.sleep(_LOOK)
        # What one before this said of itself is true no more.
        (run_directory / STATE).unlink(missing_ok=True)
        yield


def is_kept(run_directory: Path) -> bool:
    """Tell whether a process keeps the Envoy of this directory running."""
    with contextlib.suppress(OSError), (run_directory / LOCK).open("r") as lock:
        return not _taken(lock, fcntl.LOCK_SH)
    return False


def state_of(run_directory: Path) -> dict[str, Any]:
    """Return what the process beside the Envoy of this directory says; `NOTHING` if there is none."""
    if is_kept(run_directory):
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads((run_directory / STATE).read_text())
            return found
    return dict(NOTHING)


def tell_state(run_directory: Path, state: dict[str, Any]) -> None:
    """Write the state. Raises `Unusable` if that cannot be done."""
    files.replace(run_directory / STATE, json.dumps(state).encode(), files.PRIVATE)


def _taken(lock: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
