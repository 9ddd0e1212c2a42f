"""Processes that the demo starts: each says in lines of JSON on stdout what it does, and ends with the demo."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from bothways.dataplane.child import ending_with

_STOP_TIMEOUT = 10.0


class BothwaysProcess:
    """A `bothways` command running as a process of its own; its stderr goes to `log`."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        self._log = log
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue()
        with log.open("wb") as errors:
            self._process = self._start([*arguments, "--json"], errors)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Tell whether the process is alive."""
        return self._process.poll() is None

    def next_line(self, seconds: float) -> dict[str, Any]:
        """Return the next line that it says. Raises `RuntimeError` with its last words if it ends, or says nothing."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise RuntimeError(f"nothing was said within {seconds:.0f} s; {self.last_words()}") from None
        if line is None:
            raise RuntimeError(f"the process ended with {self._process.wait()}; {self.last_words()}")
        return line

    def last_words(self) -> str:
        """Return the last line of stderr."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def terminate(self) -> None:
        """Ask the process to end, and do not wait."""
        self._process.terminate()

    def stop(self) -> None:
        """End the process, and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._process.stdout:
            self._process.stdout.close()

    def _start(self, arguments: list[str], errors: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            ending_with(os.getpid(), [sys.executable, "-m", "bothways", *arguments]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            # A session of its own: Ctrl-C is for the demo, which ends its processes in good order.
            start_new_session=True,
        )

    def _read(self) -> None:
        if self._process.stdout:
            for line in self._process.stdout:
                # An error is a document of several lines, and its sentence is in the log as well.
                with contextlib.suppress(ValueError):
                    self._lines.put(json.loads(line))
        self._lines.put(None)
