"""This machine: who can read the hub's files, room on the disk, the clock, open files that Envoy may have, Envoy."""

import ctypes
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bothways.dataplane.envoy import find_envoy
from bothways.dataplane.envoy_state import state_of
from bothways.doctor.report import Area
from bothways.errors import Unusable
from bothways.files import is_exposed
from bothways.findings import Finding, Level, Step
from bothways.operations.key_files import key_files
from bothways.operations.settings import FILE, Settings
from bothways.xds.overload import CONNECTIONS

ROOM_WANTED, ROOM_LEAST = 1 << 30, 100 << 20
"""Bytes on the disk of the hub: under the first one is warned, under the second writing is about to fail."""

_SETTINGS, _KEYS = 0o022, 0o077
_CLOCK_IS_LOOSE = 5
_TIMEX_BYTES = 256
_OPEN_FILES = re.compile(r"^Max open files\s+(\d+|unlimited)", re.MULTILINE)


def machine_steps(directory: Path, settings: Settings) -> Iterator[Step]:
    """Yield what is seen of the machine that the hub in `directory` is on."""
    found = tuple(_modes(directory, settings))
    yield Step(Area.MACHINE, "files", str(directory), found)
    yield _room(directory)
    yield _clock()
    yield _envoy(settings)
    yield _open_files(state_of(directory / "run")["pid"])


def _modes(directory: Path, settings: Settings) -> Iterator[Finding]:
    """Yield which files others can change, or read where nobody may."""
    passphrase = directory / settings.passphrase_file
    wanted = {directory: _SETTINGS, directory / FILE: _SETTINGS, directory / "contract.toml": _SETTINGS}
    wanted |= dict.fromkeys((passphrase, *key_files(directory)), _KEYS)
    for path, unwanted in wanted.items():
        # What is not there is said by the one who needs it.
        with suppress(OSError):
            status = path.stat()
            mode = stat.S_IMODE(status.st_mode)
            if is_exposed(status) if unwanted == _KEYS else mode & unwanted:
                change = "go-w" if unwanted == _SETTINGS else "go-rwx"
                done = "put others in their place" if unwanted == _SETTINGS else "read or change it"
                message = f"{path} has mode {mode:04o}: others on this machine can {done}"
                hint = f"Run: chmod {change} {path}"
                hint += "" if unwanted == _SETTINGS else ", and think whether the keys have to be replaced"
                yield Finding("DOCTOR-FILE-01", message, f"{hint}.", "R5", str(path))


def _room(directory: Path) -> Step:
    free = shutil.disk_usage(directory).free
    said = f"{free / (1 << 30):.1f} GiB free"
    if free >= ROOM_WANTED:
        return Step(Area.MACHINE, "room on the disk", said)
    level = Level.ERROR if free < ROOM_LEAST else Level.WARNING
    hint = "Make room: a full disk stops issuing, revocation and the audit."
    found = Finding("DOCTOR-DISK-01", f"{said}; 1 GiB is wanted", hint, "R5", str(directory), level)
    return Step(Area.MACHINE, "room on the disk", said, (found,))


def keeps_time() -> bool | None:
    """Tell whether a time service steers this machine's clock, as its kernel says; None if that cannot be asked."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        # A `struct timex` of zeros asks, and changes nothing (adjtimex(2)).
        said = int(libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
        return None if said < 0 else said != _CLOCK_IS_LOOSE
    return None


def _clock() -> Step:
    kept = keeps_time()
    if kept is not False:
        said = "steered by a time service" if kept else "cannot be asked"
        return Step(Area.MACHINE, "clock", said, made=kept is not None)
    hint = "Start one: timedatectl set-ntp true, or chrony. Certificates and revocation lists hold by the clock."
    found = Finding("DOCTOR-CLOCK-01", "no time service steers the clock", hint, "R5", level=Level.WARNING)
    return Step(Area.MACHINE, "clock", "not steered", (found,))


def _envoy(settings: Settings) -> Step:
    try:
        return Step(Area.MACHINE, "Envoy's program", str(find_envoy(settings.envoy)))
    except Unusable as error:
        found = Finding("DOCTOR-ENVOY-01", "no Envoy is installed", str(error), "R1")
        return Step(Area.MACHINE, "Envoy's program", "none", (found,))


def _open_files(pid: int | None) -> Step:
    name = "open files"
    if pid is None:
        return Step(Area.MACHINE, name, "no Envoy runs here", made=False)
    try:
        most = _OPEN_FILES.findall(Path(f"/proc/{pid}/limits").read_text())
    except OSError:
        most = []
    said = f"Envoy may have {most[0] if most else 'it is not known how many'}"
    # Behind each connection of a customer stands one to a service.
    if not most or most[0] == "unlimited" or int(most[0]) >= 2 * CONNECTIONS:
        return Step(Area.MACHINE, name, said)
    message = f"{said} open files, and {2 * CONNECTIONS} are wanted for {CONNECTIONS} connections with what is behind"
    hint = f"Set LimitNOFILE={2 * CONNECTIONS} in the unit, or ulimit -n, and start Envoy again."
    return Step(Area.MACHINE, name, said, (Finding("DOCTOR-OPEN-01", message, hint, "R1", level=Level.WARNING),))
