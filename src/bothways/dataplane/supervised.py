"""The hub's hold on the process that keeps its Envoy running: found or started, watched, and ended in good order."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bothways import files
from bothways.dataplane.child import ending_with
from bothways.dataplane.envoy import find_envoy, last_line
from bothways.dataplane.envoy_state import is_kept, state_of
from bothways.dataplane.supervisor import BOOTSTRAP, DRAIN_SECONDS, LOG, Site, fingerprint
from bothways.operations.settings import EnvoyLifetime

_log = logging.getLogger(__name__)

SUPERVISOR_LOG = "supervisor.log"
_LOOK = 0.1
_START_AGAIN = 1.0
_END_SECONDS = DRAIN_SECONDS + 15.0
"""An Envoy that is drained to the last second is then given its own time to stop."""


class SupervisedEnvoy:
    """The Envoy of a hub, which a process of its own keeps running; how long that lives is a setting.

    `command` starts such a process. With `SERVICE` the hub neither starts nor ends one.
    """

    def __init__(self, site: Site, lifetime: EnvoyLifetime, command: Sequence[str]) -> None:
        self._site = site
        self._run_directory = site.run_directory
        self._lifetime = lifetime
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None
        log = site.run_directory / LOG
        self._said_before = log.stat().st_size if log.exists() else 0
        self.adopted = is_kept(site.run_directory)
        self._outlives = self.adopted and lifetime is EnvoyLifetime.DETACHED
        self._ending = False

    def state(self) -> dict[str, Any]:
        """Return what the process says of Envoy: pid, restarts, where its configuration comes from."""
        return state_of(self._run_directory)

    def last_words(self) -> str:
        """Return the last line that Envoy wrote to its log since the hub started, or that it wrote none."""
        return last_line(self._run_directory / LOG, self._said_before)

    async def run(self) -> None:
        """See to it that Envoy is kept running, until this task is cancelled; nothing is ended then."""
        if self.adopted:
            self._renew_if_changed()
        while True:
            if not self._ending and self._lifetime is not EnvoyLifetime.SERVICE and not is_kept(self._run_directory):
                await self._start()
            await asyncio.sleep(_LOOK)

    async def known(self) -> None:
        """Wait until it is known which process Envoy is: it may serve a moment before."""
        while self.state()["pid"] is None:  # noqa: ASYNC110 - another process writes it down
            await asyncio.sleep(_LOOK)

    def proved(self) -> None:
        """Take note that Envoy serves: from now on it may outlive a hub that fails."""
        self._outlives = self._lifetime is EnvoyLifetime.DETACHED

    async def leave(self) -> None:
        """End Envoy after a failure of the hub, unless it served and may outlive that."""
        if not self._outlives:
            await self.end()

    def hurry(self) -> None:
        """Wait for no request any longer: what `end` has begun is cut short."""
        if self._lifetime is not EnvoyLifetime.SERVICE:
            self._signal(signal.SIGTERM)

    async def end(self) -> None:
        """Drain Envoy and end what keeps it running, unless that is a service of its own."""
        if self._lifetime is EnvoyLifetime.SERVICE:
            return
        self._ending = True
        try:
            async with asyncio.timeout(_END_SECONDS):
                told = False
                while self._running():
                    # Once: a second time would mean to cut off what is being answered.
                    told = told or self._signal(signal.SIGTERM)
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            # Envoy ends with it (PR_SET_PDEATHSIG).
            self._signal(signal.SIGKILL)
            _log.error("what keeps Envoy running did not end within %.0f s, and was killed", _END_SECONDS)

    def _running(self) -> bool:
        return is_kept(self._run_directory) or (self._child is not None and self._child.poll() is None)

    async def _start(self) -> None:
        if self._child is not None:
            if self._child.poll() is None:
                return
            said = last_line(self._run_directory / SUPERVISOR_LOG)
            _log.error("what keeps Envoy running ended with %s (%s); it is started again", self._child.returncode, said)
            await asyncio.sleep(_START_AGAIN)
        command = list(self._command)
        if self._lifetime is EnvoyLifetime.HUB:
            command = ending_with(os.getpid(), command)
        with (self._run_directory / SUPERVISOR_LOG).open("ab") as log:
            self._child = subprocess.Popen(  # noqa: ASYNC220 - fork and exec alone, of what may outlive this loop
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _renew_if_changed(self) -> None:
        """Have a new Envoy take over if the installed one, or its bootstrap, is another than what runs."""
        place, wanted = self._run_directory / BOOTSTRAP, self._site.bootstrap()
        running = self.state()["binary"]
        same = place.exists() and place.read_bytes() == wanted
        if same and running in {None, fingerprint(find_envoy(self._site.envoy))}:
            _log.info("the Envoy that runs already goes on")
            return
        files.replace(place, wanted, files.PRIVATE)
        _log.info("another Envoy is installed than the one that runs, and takes over from it")
        self._signal(signal.SIGHUP)

    def _signal(self, number: signal.Signals) -> bool:
        """Send a signal to what keeps Envoy running, and tell whether it is known who that is."""
        pid: int | None = self.state()["supervisor"]
        if pid is None and self._child is not None:
            pid = self._child.pid
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True


def supervisor_command(directory: Path) -> list[str]:
    """Return the command that keeps the Envoy of the hub in `directory` running."""
    return [sys.executable, "-m", "bothways", "hub", "envoy", "--directory", str(directory.absolute())]
