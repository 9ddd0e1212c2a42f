"""Where what tests make and take away again is kept."""

import shutil
from pathlib import Path

_ROOM = 2**30


def memory() -> Path | None:
    """Return a directory that is in memory and has room for databases, or None where there is none.

    A process that is killed loses nothing that it wrote, on no disk.
    """
    place = Path("/dev/shm")  # noqa: S108 - what is made in it is private
    return place if place.is_dir() and shutil.disk_usage(place).free >= _ROOM else None
