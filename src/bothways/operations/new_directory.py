"""The directory of a hub that is being made: it appears whole, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bothways import files
from bothways.errors import Conflict, Unusable
from bothways.operations.settings import FILE

_SOCKET_PATH_LIMIT = 100


@contextmanager
def new_directory(directory: Path) -> Iterator[Path]:
    """Yield a private directory to fill, which becomes `directory` when the block ends, and is gone if it raises.

    Raises `Conflict` if something is there, `Unusable` if it cannot be.
    """
    longest = len(os.fsencode(directory.absolute() / "run" / "connectivity.sock"))
    if longest > _SOCKET_PATH_LIMIT:
        raise Unusable(
            f"the path {directory.absolute()} is too long for unix sockets: {longest} bytes with the file names, "
            f"at most {_SOCKET_PATH_LIMIT} work. Use a shorter path, like /var/lib/bothways/PPR."
        )
    try:
        _require_free(directory)
        files.make_directory(directory.absolute().parent)
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.absolute().parent))
    except OSError as error:
        raise Unusable(
            f"no hub can be made in {directory}: {(error.strerror or str(error)).lower()}. "
            "Use a directory that this user can write to."
        ) from error
    try:
        yield draft
        draft.replace(directory.absolute())
    except OSError as error:
        raise Conflict(
            f"{directory} was filled by somebody else meanwhile. Look at it, and name another one."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _require_free(directory: Path) -> None:
    if (directory / FILE).exists():
        raise Conflict(f"{directory} already holds a hub. Run it: bothways hub run --directory {directory}")
    if directory.is_symlink() or (directory.exists() and not (directory.is_dir() and not any(directory.iterdir()))):
        raise Conflict(f"{directory} is not empty, and a hub wants a directory of its own. Name another one.")
