"""`bothways` in processes of their own that start in a moment: forked from one that has its modules imported.

The tests start some hundred hubs, and importing is most of what a start takes. What runs is the same, from `main` on;
how a process begins that the system starts is tested in `tests/demo/test_process.py`, by the demo and the tutorials.
"""

import ctypes
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Any

from bothways.demo.process import BothwaysProcess

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.preloaded"])


class ForkedProcess(BothwaysProcess):
    """A `bothways` command as a process of its own, forked and not started anew."""

    def _start(self, arguments: Sequence[str], errors: IO[bytes]) -> Any:
        return Forked(arguments, errors.fileno())


class Forked:
    """As much of `subprocess.Popen` as is used of it; `stdout` is a pipe of bytes, and stderr goes to `errors`."""

    def __init__(self, arguments: Sequence[str], errors: int) -> None:
        read, write = os.pipe()
        self.stdout = os.fdopen(read, "rb")
        # Connections, because these hand over their descriptors.
        with Connection(write, readable=False) as output, Connection(os.dup(errors), readable=False) as said:
            self._process = _context.Process(
                target=_become, args=(["bothways", *arguments], dict(os.environ), Path.cwd(), output, said), daemon=True
            )
            self._process.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("bothways", timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _become(argv: list[str], environment: dict[str, str], place: Path, output: Connection, errors: Connection) -> None:
    """Run `main` as a process that was started with these; it ends with the one that it was forked from."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    os.setsid()
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    output.close()
    errors.close()
    sys.argv = argv
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, os.fdopen(os.dup(number), "w", encoding="utf-8"))
    importlib.import_module("bothways.cli.main").main()
