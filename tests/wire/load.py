"""Customers that call without pause, and what they lost: each request that got no answer, or another than 200."""

import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from ssl import SSLContext, SSLSocket
from typing import Protocol, Self

from bothways.spoke.directory import Spoke

_PAUSE = 0.002


class Called(Protocol):
    """Where a customer calls: a hub, or one node of it."""

    @property
    def host(self) -> str: ...

    def context(self, spoke: Spoke) -> SSLContext: ...

    def tls(self, context: SSLContext) -> SSLSocket: ...


@dataclass(slots=True)
class Load:
    """Callers of one path, each in a thread of its own, over connections that stay open and over new ones.

    A close that the answer before announced (`Connection: close`) is no loss; anything else that is not a 200 is.
    """

    world: Called
    spoke: Spoke
    path: str = "/tokens/load"
    pause: float = _PAUSE
    answered: dict[str, int] = field(default_factory=lambda: {"kept": 0, "new": 0})
    lost: list[tuple[float, str]] = field(default_factory=list)
    reopened: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        for kind in ("kept", "kept", "new"):
            thread = threading.Thread(target=self._call, args=(kind,))
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, count: int = 20, seconds: float = 30.0) -> None:
        """Wait until each kind of caller got so many more answers."""
        wanted = {kind: number + count for kind, number in self.answered.items()}
        end = time.monotonic() + seconds
        while any(self.answered[kind] < number for kind, number in wanted.items()):
            assert time.monotonic() < end, (self.answered, self.lost[-3:])
            time.sleep(0.01)

    def _call(self, kind: str) -> None:
        context, connection = self.world.context(self.spoke), None
        while not self._stop.wait(self.pause):
            try:
                if connection is None:
                    connection = HTTPConnection("unused")
                    connection.auto_open = 0
                    connection.sock = self.world.tls(context)
                connection.request("GET", self.path, headers={"Host": self.world.host})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.lost.append((time.monotonic(), f"{kind}: {answer.status}"))
                self.answered[kind] += answer.status == 200
                if answer.will_close or kind == "new":
                    self.reopened += kind == "kept"
                    connection.close()
                    connection = None
            except (OSError, HTTPException) as error:
                self.lost.append((time.monotonic(), f"{kind}: {error!r}"))
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()
