"""Which system calls a unit in `docs/examples` allows, as runc takes them: no test boots a systemd."""

import platform
import re
import subprocess
from functools import cache
from typing import Any

_EPERM = 1


def allowed_by(unit: str) -> dict[str, Any]:
    """Return the profile of the lines `SystemCallFilter=` of a unit, which systemd reads in their order."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, flags=re.MULTILINE):
        named = {call for each in line.removeprefix("~").split() for call in _calls(each)}
        allowed = allowed - named if line.startswith("~") else allowed | named
    # These systemd lets through whatever a unit says, or nothing could be started.
    allowed |= _calls("@default")
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": _EPERM,
        "architectures": [f"SCMP_ARCH_{platform.machine().upper()}"],
        "syscalls": [{"names": sorted(allowed), "action": "SCMP_ACT_ALLOW"}],
    }


@cache
def _calls(name: str) -> frozenset[str]:
    if not name.startswith("@"):
        return frozenset({name})
    command = ["systemd-analyze", "syscall-filter", "--no-pager", name]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    members = [each.strip() for each in said.splitlines()[1:] if each.strip() and not each.strip().startswith("#")]
    return frozenset(call for each in members for call in _calls(each))
