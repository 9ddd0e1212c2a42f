"""Writing files so that nobody finds half of one, and keys so that nobody else reads them. Modes are set only here."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from bothways.errors import Conflict, Unusable

PRIVATE = 0o600
PUBLIC = 0o644
# Of the group, writing and searching alone where root owns the file.
_OTHERS, _GROUP_AND_OTHERS = 0o037, 0o077


def write_new(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write `content` to `path`, which must not exist yet.

    The file appears whole or not at all (write, fsync, link), with `mode` whatever the umask says.
    Raises `Conflict` if something stands there already, even a dangling link; `Unusable` if it cannot be written.
    """
    _place(path, lambda file: file.write(content), mode, replace=False)


def write_new_by(path: Path, writer: Callable[[BinaryIO], object], mode: int = PUBLIC) -> None:
    """As `write_new`, for what is too long to be held in memory: `writer` is given the file to write into."""
    _place(path, writer, mode, replace=False)


def replace(path: Path, content: bytes, mode: int = PUBLIC) -> None:
    """Write `content` to `path`, in place of what was there; a reader sees the old file or the new one, never a mix."""
    _place(path, lambda file: file.write(content), mode, replace=True)


def make_directory(path: Path) -> None:
    """Make what is missing of `path`, readable by this user only. Raises `Unusable` if that cannot be done."""
    try:
        # A path that no file system can have is refused before its first half is made.
        with contextlib.suppress(FileNotFoundError):
            path.lstat()
        # `mkdir(parents=True)` would give the parents the mode of the umask, and who may write there may swap keys.
        for each in (*reversed(path.parents), path):
            if each == path or not each.exists():
                each.mkdir(mode=0o700, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error


def read(path: Path, what: str, limit: int = 1 << 20) -> bytes:
    """Read at most `limit` bytes of `path`; `what` names the content in the message. Raises `Unusable`."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise Unusable(f"{what} cannot be read from {path}: {_reason(error)}. Check the path and its mode.") from error
    if len(content) > limit:
        raise Unusable(f"{path} holds more than {limit} bytes, which is more than {what} can have. Check the path.")
    return content


def read_private(path: Path, what: str) -> bytes:
    """Read a private file; one that others can read is refused, for it may have been copied. Raises `Unusable`."""
    content = read(path, what)
    found = path.stat()
    if is_exposed(found):
        mode = stat.S_IMODE(found.st_mode)
        raise Unusable(
            f"{path} has mode {mode:04o}, so others on this machine can read {what}; 0600 is wanted. "
            f"Run: chmod 600 {path}; and think whether the key has to be replaced."
        )
    return content


def is_exposed(found: os.stat_result) -> bool:
    """Tell whether others than this user can get at a private file.

    One that root owns may be readable by its group, if this user is not root: so an administrator, or Kubernetes
    (`fsGroup`), gives a key to a service that must not replace it. PostgreSQL has the same rule.
    """
    given = found.st_uid == 0 and os.geteuid() != 0
    return bool(found.st_mode & (_OTHERS if given else _GROUP_AND_OTHERS))


@contextlib.contextmanager
def readable(content: bytes, directory: Path) -> Iterator[str]:
    """Yield a path to read `content` from, in memory where the system can: the ssl module takes keys from files alone.

    `directory` is a private one, for systems without files in memory.
    """
    if hasattr(os, "memfd_create"):
        # A file in memory, so that the key is never on a disk.
        with os.fdopen(os.memfd_create("bothways"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        # Made with mode 0600, and gone when it was read.
        with tempfile.NamedTemporaryFile(dir=directory, prefix=".readable-") as named:
            named.write(content)
            named.flush()
            yield named.name


def sync_directory(path: Path) -> None:
    """Bring the names in the directory to the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _place(path: Path, writer: Callable[[BinaryIO], object], mode: int, *, replace: bool) -> None:
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except (OSError, ValueError) as error:
        raise _unusable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            writer(file)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(temporary, path)  # noqa: PTH105 - the pair of os.link below
        else:
            # link(2) refuses an existing name, so two writers can never overwrite each other's key.
            os.link(temporary, path)
        sync_directory(path.parent)
    except FileExistsError as error:
        raise Conflict(
            f"{path} exists already and is never overwritten. Move it away, or use another directory."
        ) from error
    except OSError as error:
        raise _unusable(path, error) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)  # noqa: PTH108 - as above


def _unusable(path: Path, error: Exception) -> Unusable:
    return Unusable(f"{path} cannot be written: {_reason(error)}. Use a directory that this user can write to.")


def _reason(error: Exception) -> str:
    # A path with a NUL in it is a ValueError.
    if not isinstance(error, OSError):
        return str(error)
    return {
        errno.EACCES: "permission denied",
        errno.EROFS: "the file system is read-only",
        errno.ENOSPC: "the disk is full",
        errno.ENOENT: "there is no such file or directory",
        errno.ENOTDIR: "a part of the path is a file, not a directory",
        errno.EEXIST: "a file stands where a directory is wanted",
        errno.EISDIR: "it is a directory",
    }.get(error.errno or 0, (error.strerror or str(error)).lower())
