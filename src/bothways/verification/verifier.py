"""The hub's hold on the process that verifies: started when there is much to verify, asked, and never waited for.

What is not answered when it is needed is verified by whoever needs it, from the other end, until the two meet. So a
process that is slow, stopped, dead or not there costs time and nothing else, and one that answers to other octets than
it was given is ended. Nothing counts as verified but by its own answer, which names it by its digest.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from hashlib import sha256

from bothways.verification.process import ANSWER, FIRST, framed

LEAST = 50
"""Checks from which on they are handed over: fewer are made in less time than another core needs to wake up."""

COMMAND = (sys.executable, "-P", "-m", "bothways.verification.process")
_CHUNK = 1 << 16
_BUFFER = 1 << 20
"""Octets that are to lie ready on their way, if the system gives so many: more than a group of requests has."""
_TOGETHER = 16
"""Checks that are sent at once: to send each alone takes as long as a tenth of it."""


class Asked:
    """Checks that are handed over, or are not: either way, `holds` sees to it that each one is made."""

    def __init__(self, exchange: Callable[["Asked", Sequence[bytes]], None]) -> None:
        self._exchange = exchange
        self._waiting: list[bytes] = []
        self._digests: list[bytes] = []
        self._answers: list[bool] = []
        self._made_from = 0

    @property
    def open(self) -> bool:
        """Whether an answer is missing."""
        return len(self._answers) < len(self._digests)

    def add(self, check: bytes) -> None:
        """Hand one more over; all are added before the first is asked for."""
        self._made_from += 1
        self._digests.append(sha256(check).digest())
        self._waiting.append(check)
        if len(self._waiting) >= _TOGETHER:
            self.look()

    def take(self, answer: bytes) -> bool:
        """Take the next answer; return False if it is to anything but the check whose turn it is."""
        if not self.open or answer[1:] != self._digests[len(self._answers)]:
            return False
        self._answers.append(answer[0] == 1)
        return True

    def forget(self) -> None:
        """Take nothing for answered any more."""
        self._answers = []

    def holds(self, place: int, check: Callable[[int], object]) -> bool:
        """Tell whether the check at this place was found to hold; if not, `check` was called for it, here.

        As long as there is no answer, `check` is called for others that have none, from the last one on. What it
        raises, is raised.
        """
        if place >= len(self._answers):
            self.look()
        answers = self._answers
        while len(answers) <= place < self._made_from:
            self._made_from -= 1
            check(self._made_from)
            self.look()
            answers = self._answers
        if place >= self._made_from:
            return False
        if not answers[place]:
            check(place)
        return answers[place]

    def look(self) -> None:
        """Hand over what waits, and take the answers that have come."""
        waiting, self._waiting = self._waiting, []
        self._exchange(self, waiting)


class Verifier:
    """One process, once there was something to ask. Any thread may ask; what comes while it is busy, is not asked."""

    def __init__(self, command: Sequence[str] = COMMAND, least: int = LEAST) -> None:
        self._command, self._least = command, least
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._asked: Asked | None = None
        self._outgoing = self._incoming = b""

    def ask(self, count: int) -> Asked:
        """Return where to add so many checks: handed over if they are many, and a second core and the process free."""
        asked = Asked(self._exchange)
        if count >= self._least and _cores() > 1:
            with self._lock:
                self._take()
                if self._line is None:
                    self._start()
                elif self._asked is None or not self._asked.open:
                    self._asked = asked
        return asked

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _exchange(self, asked: Asked, checks: Sequence[bytes]) -> None:
        with self._lock:
            if asked is self._asked:
                self._outgoing += b"".join(map(framed, checks))
                self._send()
                self._take()

    def _start(self) -> None:
        """Start the process. It is free when it has answered the first check of all, which it does by itself."""
        self._asked = Asked(self._exchange)
        self._asked.add(FIRST)
        self._line, other = socket.socketpair()
        self._line.setblocking(False)
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        # All that it gets of this process is the other end: whenever and however this one ends, it does so, too.
        with other, contextlib.suppress(OSError):
            self._child = subprocess.Popen(
                self._command, stdin=other.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
            )

    def _send(self) -> None:
        """Send what there is room for on the way."""
        if self._line is not None and self._outgoing:
            try:
                self._outgoing = self._outgoing[self._line.send(self._outgoing) :]
            except BlockingIOError:
                return
            except OSError:
                self._end()

    def _take(self) -> None:
        """Take the answers that have come."""
        while self._line is not None:
            try:
                received = self._line.recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                received = b""
            self._incoming += received
            whole = len(self._incoming) // ANSWER * ANSWER
            answers = [self._incoming[start : start + ANSWER] for start in range(0, whole, ANSWER)]
            self._incoming = self._incoming[whole:]
            if not received or self._asked is None or not all(map(self._asked.take, answers)):
                self._end()

    def _end(self) -> None:
        self._outgoing = self._incoming = b""
        if self._asked is not None:
            self._asked.forget()
            self._asked = None
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
