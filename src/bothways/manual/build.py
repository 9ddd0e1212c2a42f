"""`make docs`: write the static site to a directory. `python -m bothways.manual.build DIRECTORY`."""

import sys
from pathlib import Path

from bothways.errors import Conflict
from bothways.manual.site import Site

_MARK = "llms.txt"


def build(directory: Path) -> int:
    """Write the site, and return of how many files it is. Raises `Conflict` for a directory with something else in it.

    Files of an earlier site that are no more of it are removed.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / _MARK).is_file():
        raise Conflict(f"{directory} holds something that is no site of ours. Name another directory, or empty it.")
    site = Site()
    paths = set(site.paths())
    for path in sorted(paths):
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(site.content(path))
    for stray in [each for each in directory.rglob("*") if each.is_file()]:
        if stray.relative_to(directory).as_posix() not in paths:
            stray.unlink()
    return len(paths)


if __name__ == "__main__":
    print(f"{build(Path(sys.argv[1]))} files in {sys.argv[1]}; begin at {sys.argv[1]}/index.html")  # noqa: T201 - a command
