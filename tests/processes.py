"""Which processes work in a directory, found by their command lines."""

import os
from pathlib import Path


def processes_in(directory: Path) -> list[int]:
    """Return the processes that have the directory in their command line, without this one."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal() and int(place.name) != os.getpid():
            try:
                command = (place / "cmdline").read_bytes()
            except OSError:
                continue
            if str(directory).encode() in command:
                found.append(int(place.name))
    return found
