"""Child processes that end when their parent does, even if it is killed."""

import sys
from collections.abc import Sequence

# A launcher of its own, and not a hook after fork: code between fork and exec is not safe beside gRPC's threads.
_LAUNCHER = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


def ending_with(parent: int, command: Sequence[str]) -> list[str]:
    """Return an argv that runs `command` and gets SIGTERM when the process `parent`, which starts it, is gone.

    Linux has this (prctl(2), PR_SET_PDEATHSIG); elsewhere the command is returned as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(parent), *command]
