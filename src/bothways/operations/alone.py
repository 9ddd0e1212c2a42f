"""The lock of a hub's directory: one process runs the hub, or changes what a hub that runs must not see change."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from bothways import files
from bothways.errors import Conflict


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the lock until the block ends; a process that is killed gives it back. Raises `Conflict` if it is held."""
    files.make_directory(directory / "run")
    with (directory / "run" / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                f"the hub in {directory} runs already. Look at: bothways hub status --directory {directory}"
            ) from error
        yield
