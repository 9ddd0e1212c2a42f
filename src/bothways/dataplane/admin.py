"""Envoy's admin interface, asked over its unix socket: which Envoy answers, what is open, how it is drained.

With no HTTP client, whose import would be a third of what the process beside Envoy does in its life.
"""

import asyncio
import contextlib
import json
import logging
import socket
import time
from http import HTTPStatus
from pathlib import Path

import h11

from bothways.errors import Unusable

_log = logging.getLogger(__name__)

_TIMEOUT = 5.0
_CHUNK = 1 << 16
_HEADERS = (("Content-Length", "0"), ("Connection", "close"))
_LOOK = 0.05
_QUIET = 1.0

_OPEN = {"downstream_cx_active": 0, "downstream_rq_active": 0}


class Admin:
    """The admin interface behind one socket. Whoever opens that can end Envoy: its mode is what protects it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, method: str, path: str) -> str:
        """Return what Envoy answers. Raises `Unusable` if it does not, or says no."""
        if not answers(self._path):
            raise Unusable(f"no Envoy answers at {self._path}")
        try:
            async with asyncio.timeout(_TIMEOUT):
                status, text = await self._answered(method, path)
        except (OSError, h11.RemoteProtocolError) as error:
            raise self._silent(method, path, str(error) or type(error).__name__) from error
        if status != HTTPStatus.OK:
            raise self._silent(method, path, f"{status} {text.strip()}")
        return text

    async def _answered(self, method: str, path: str) -> tuple[int, str]:
        reader, writer = await asyncio.open_unix_connection(self._path)
        line, status, body = h11.Connection(h11.CLIENT), 0, bytearray()
        asked = h11.Request(method=method, target=path, headers=[*_HEADERS, ("Host", "envoy")])
        try:
            writer.write((line.send(asked) or b"") + (line.send(h11.EndOfMessage()) or b""))
            while not isinstance(event := line.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    received = await reader.read(_CHUNK)
                    if not received and not status:
                        raise ConnectionError("it closed the connection")
                    line.receive_data(received)
                elif isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    body += event.data
        finally:
            writer.close()
        return status, body.decode()

    def _silent(self, method: str, path: str, why: str) -> Unusable:
        return Unusable(f"Envoy did not answer {method} {path} at {self._path}: {why}")

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
