"""What is made from files, made anew when one of them changes; for certificates, keys and contracts that rotate."""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from bothways.errors import Refused, Unusable
from bothways.spoke.events import FilesRefused, FilesUsed

_Made = TypeVar("_Made")
_Stamp = tuple[tuple[int, int, int] | None, ...]


class Reloading(Generic[_Made]):
    """Something made by `first`, and by `again` when one of the files at `paths` has changed. For many threads.

    If the files cannot be used then (`again` raises `Unusable` or `Refused`), it stays as it was, and they are tried
    again when they change again. `on_change` is told, by the thread that noticed. `version` counts the changes that are
    in use. Raises what `first` raises.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        first: Callable[[], _Made],
        again: Callable[[], _Made],
        on_change: Callable[[FilesUsed | FilesRefused], None],
    ) -> None:
        self._paths, self._again, self._on_change = tuple(map(str, paths)), again, on_change
        self._lock = threading.Lock()
        # Before the files are read: what changes meanwhile is noticed.
        self._stamp = self._stamped()
        # One value, so that nobody gets one of them without the other.
        self._made = (first(), 0)

    @property
    def version(self) -> int:
        """Return the version that is in use. Looks at no file."""
        return self._made[1]

    def now(self) -> _Made:
        """Return it as the files are now. Costs a look at each file."""
        return self.latest()[0]

    def latest(self) -> tuple[_Made, int]:
        """Return it as the files are now, and its own version."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return self._made
        with self._lock:
            if stamp == self._stamp:
                return self._made
            self._stamp = stamp
            event: FilesUsed | FilesRefused = FilesUsed()
            try:
                self._made = (self._again(), self._made[1] + 1)
            except (Refused, Unusable) as error:
                event = FilesRefused(str(error))
        # Outside the lock: who is told may ask for it.
        self._on_change(event)
        return self._made

    def _stamped(self) -> _Stamp:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        # Not Path.stat: this is done many times a second.
        found = os.stat(path)  # noqa: PTH116
    # A path with a NUL in it is a ValueError.
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
