"""Envoy's admin interface, asked over its unix socket: which Envoy answers, what is open, how it is drained."""

import asyncio
import contextlib
import json
import logging
import socket
import time
from pathlib import Path

import httpx2

from bothways.dataplane.local import over_socket_async
from bothways.errors import Unusable

_log = logging.getLogger(__name__)

_TIMEOUT = 5.0
_LOOK = 0.05
_QUIET = 1.0

_OPEN = {"downstream_cx_active": 0, "downstream_rq_active": 0}


class Admin:
    """The admin interface behind one socket. Whoever opens that can end Envoy: its mode is what protects it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, method: str, path: str) -> str:
        """Return what Envoy answers. Raises `Unusable` if it does not, or says no."""
        # The HTTP client leaves its socket open where nobody listens, so that is tried first.
        if not answers(self._path):
            raise Unusable(f"no Envoy answers at {self._path}")
        transport = over_socket_async(self._path)
        try:
            async with httpx2.AsyncClient(transport=transport, timeout=_TIMEOUT) as client:
                answer = await client.request(method, f"http://envoy{path}")
                answer.raise_for_status()
        except httpx2.HTTPError as error:
            why = str(error) or type(error).__name__
            raise Unusable(f"Envoy did not answer {method} {path} at {self._path}: {why}") from error
        return answer.text

    async def live_epoch(self) -> int | None:
        """Return the restart epoch of the Envoy that answers here, once it has its first configuration; else None."""
        with contextlib.suppress(Unusable, ValueError):
            info = json.loads(await self.ask("GET", "/server_info"))
            if info["state"] == "LIVE":
                return int(info["command_line_options"].get("restart_epoch", 0))
        return None

    async def drain(self, most: float) -> bool:
        """Accept nothing new, and wait until what was begun is answered, at most so many seconds; tell whether it is.

        First every answer says that its connection ends with it (`Connection: close`, GOAWAY), so that whoever keeps
        one open closes it between two requests; then the listeners close. A connection at rest says nothing, and
        hears nothing: it is waited for a second more, and then lost with Envoy.
        """
        end = time.monotonic() + most
        await self.ask("POST", "/healthcheck/fail")
        await self.ask("POST", "/drain_listeners")
        quiet_since: float | None = None
        while time.monotonic() < end:
            connections, requests = await self._open()
            quiet_since = None if requests else quiet_since or time.monotonic()
            if not connections or (quiet_since and time.monotonic() - quiet_since > _QUIET):
                return True
            await asyncio.sleep(_LOOK)
        return False

    async def _open(self) -> tuple[int, int]:
        text = await self.ask("GET", r"/stats?filter=^http\..*\.downstream_(cx|rq)_active$")
        found = dict(_OPEN)
        for line in text.splitlines():
            name, _, value = line.partition(": ")
            prefix, _, last = name.rpartition(".")
            if prefix != "http.admin" and last in found:
                found[last] += int(value)
        return found["downstream_cx_active"], found["downstream_rq_active"]


async def drain(admin: Admin, most: float, hurry: asyncio.Event) -> None:
    """Drain an Envoy before it is ended, and log what is cut off: after so many seconds, or when `hurry` is set."""
    draining, hurried = asyncio.create_task(admin.drain(most)), asyncio.create_task(hurry.wait())
    try:
        await asyncio.wait([draining, hurried], return_when=asyncio.FIRST_COMPLETED)
        if not draining.done():
            _log.warning("requests that were begun are cut off, for a second order to end came")
        elif error := draining.exception():
            _log.error("Envoy ends without being drained: %s", error)
        elif not draining.result():
            _log.warning("requests that were begun are cut off after %.0f s", most)
    finally:
        draining.cancel()
        hurried.cancel()
        await asyncio.gather(draining, hurried, return_exceptions=True)


def answers(path: Path) -> bool:
    """Tell whether somebody listens on a unix socket."""
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(path))
        except OSError:
            return False
        return True
