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
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import CompletedProcess
from threading import Timer
from typing import IO, Any

from bothways.demo.process import BothwaysProcess

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.preloaded"])


class ForkedProcess(BothwaysProcess):
    """A `bothways` command as a process of its own, forked and not started anew."""

    def _start(self, arguments: Sequence[str], errors: IO[bytes]) -> Any:
        return Forked(arguments, errors.fileno())


def run_forked(
    *arguments: object, place: Path | None = None, environment: Mapping[str, str] | None = None, seconds: float = 120
) -> "CompletedProcess[str]":
    """Run a `bothways` command to its end, as `subprocess.run` would; it is killed when its time is over."""
    argv = [str(each) for each in arguments]
    with tempfile.TemporaryFile() as errors:
        process = Forked(argv, errors.fileno(), place, environment)
        late = Timer(seconds, process.kill)
        late.start()
        with process.stdout:
            said = process.stdout.read()
        code = process.wait(seconds)
        late.cancel()
        errors.seek(0)
        return CompletedProcess(argv, code, said.decode(), errors.read().decode())


class Forked:
    """As much of `subprocess.Popen` as is used of it; `stdout` is a pipe of bytes, and stderr goes to `errors`."""

    def __init__(
        self,
        arguments: Sequence[str],
        errors: int,
        place: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        read, write = os.pipe()
        self.stdout = os.fdopen(read, "rb")
        # Connections, because these hand over their descriptors.
        with Connection(write, readable=False) as output, Connection(os.dup(errors), readable=False) as said:
            told = (["bothways", *arguments], dict(environment or os.environ), place or Path.cwd(), output, said)
            self._process = _context.Process(target=_become, args=told, daemon=True)
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
