"""The process beside Envoy: it outlives the hub, keeps Envoy running, and stands in for the hub while that is away."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from bothways import files
from bothways.dataplane.admin import Admin, drain
from bothways.dataplane.envoy import EnvoyProcess, HotRestart, find_envoy
from bothways.dataplane.envoy_state import NOTHING, only_one, tell_state
from bothways.dataplane.hub_line import HubLine
from bothways.dataplane.node_renewal import NodeRenewal, settle
from bothways.dataplane.relay import Relay
from bothways.dataplane.saved import SavedSnapshot
from bothways.dataplane.stand_in import HUB_SOCKET, LINK, StandIn
from bothways.errors import Unusable
from bothways.xds.bootstrap import BOOTSTRAP_FILE, agent_files, bootstrap
from bothways.xds.state import RemoteHub

_log = logging.getLogger(__name__)

ADMIN_SOCKET = "admin.sock"
BOOTSTRAP, LOG, SNAPSHOT = BOOTSTRAP_FILE, "envoy.log", "snapshot"
DRAIN_SECONDS = 60.0
"""For how long a request that was begun may go on after the order to end: as long as any to a service may take."""
_OVERLAP = 330
"""Seconds for which an Envoy that was taken over from goes on: longer than the idle time-out of its connections."""
_NUMBERS = 0x07FFFFFF
"""Numbers for hot restarts, of which Envoy makes ten each: so they fit into 31 bits.

It names sockets by more as if they were negative, in 20 digits, and a long directory's are too long for the system.
"""


@dataclass(frozen=True, slots=True)
class Site:
    """One Envoy's place: its run directory, its id at the control plane, the binary that is configured, if any.

    `secret` returns what guards the saved snapshot, as it is now. `hub` is where a remote node finds the control plane,
    whose certificate, key and CA are in the directory above; None for the Envoy beside it.
    """

    run_directory: Path
    node: str
    envoy: str
    secret: Callable[[], bytes]
    hub: RemoteHub | None = None

    @property
    def saved(self) -> SavedSnapshot:
        """The last snapshot."""
        return SavedSnapshot(self.run_directory / SNAPSHOT, self.secret)

    def bootstrap(self) -> bytes:
        """Return Envoy's bootstrap: it finds its control plane through the link."""
        return self.files()[BOOTSTRAP].encode()

    def files(self) -> dict[str, str]:
        """Return all files that Envoy is started with, by name: the bootstrap, and what that names."""
        run = self.run_directory.absolute()
        sockets = (str(run / LINK), str(run / ADMIN_SOCKET))
        if self.hub is None:
            return {BOOTSTRAP: bootstrap(self.node, *sockets)}
        return agent_files(self.node, self.hub, str(run.parent), str(run), *sockets)


def supervise(site: Site, now: Callable[[], datetime]) -> None:
    """Keep the Envoy of this place running until SIGTERM or SIGINT, then drain it; on SIGHUP, a new one takes over.

    Raises `Conflict` if another process does so already, `Unusable` if there is no Envoy, or a node's file cannot be
    read.
    """
    binary = find_envoy(site.envoy)
    files.make_directory(site.run_directory)
    with only_one(site.run_directory):
        for name, text in site.files().items():
            files.replace(site.run_directory / name, text.encode(), files.PRIVATE)
        asyncio.run(_supervise(site, binary, now))


async def _supervise(site: Site, binary: Path, now: Callable[[], datetime]) -> None:
    # Made in here: gRPC's channels are of the loop in which they are made.
    await _Supervisor(site, binary, now).run()


def fingerprint(binary: Path) -> str:
    """Return what tells one installed Envoy from the next at the same path."""
    found = binary.stat()
    return f"{binary}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}"


class _Supervisor:
    def __init__(self, site: Site, binary: Path, now: Callable[[], datetime]) -> None:
        run = site.run_directory
        self._site = site
        self._relay, self._renewal = _of_node(site, now, self._tell)
        self._now = now
        self._admin = Admin(run / ADMIN_SOCKET)
        self._hot = HotRestart(_number(run), run.absolute() / "hot", self._admin, _OVERLAP)
        self._envoy = EnvoyProcess(binary, run / BOOTSTRAP, run / LOG, self._hot, self._tell)
        self._stand_in = StandIn(run, site.saved, now, self._tell, lists_may_end=site.hub is not None)
        self._started_at: tuple[int | None, str | None] = (None, None)
        self._binary = fingerprint(binary)

    async def run(self) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._renew)
        self._tell()
        if self._relay is not None:
            await self._relay.begin()
        await self._stand_in.look()
        of_node = [each.run() for each in (self._relay, self._renewal) if each is not None]
        parts = [asyncio.create_task(each) for each in (*of_node, self._stand_in.run(), self._envoy.run())]
        waiting = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait([*parts, waiting], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            stop.clear()
            if self._envoy.pid is not None:
                await drain(self._admin, DRAIN_SECONDS, stop)
        finally:
            for task in (*parts, waiting):
                task.cancel()
            await asyncio.gather(*parts, waiting, return_exceptions=True)
            self._clear()

    def _renew(self) -> None:
        if self._renewal is not None:
            self._renewal.hurry()
        try:
            self._envoy.binary = find_envoy(self._site.envoy)
        except Unusable as error:
            _log.error("%s", error)
            return
        self._envoy.hot_restart()

    def _tell(self) -> None:
        pid, held = self._envoy.pid, self._stand_in.held
        if pid != self._started_at[0]:
            self._started_at = (pid, self._now().isoformat() if pid else None)
            # While a package is being replaced, there may be no binary.
            with contextlib.suppress(OSError):
                self._binary = fingerprint(self._envoy.binary)
        document = NOTHING | {
            "supervisor": os.getpid(),
            "pid": pid,
            "started_at": self._started_at[1],
            "restarts": self._envoy.restarts,
            "hot_restarts": self._envoy.hot_restarts,
            "source": self._stand_in.source.value,
            "snapshot": held and {"version": held.snapshot.version, "saved_at": held.saved_at.isoformat()},
            "binary": self._binary,
            "problem": "; ".join(each.problem for each in (self._relay, self._renewal) if each and each.problem),
        }
        try:
            tell_state(self._site.run_directory, document)
        except Unusable as error:
            # A full disk must not end what serves.
            _log.error("%s", error)

    def _clear(self) -> None:
        """Take away what Envoy leaves: the sockets of hot restarts, and the memory that they shared."""
        for path in self._site.run_directory.glob("hot_*"):
            path.unlink(missing_ok=True)
        # Envoy counts up to ten processes under one number (source/server/hot_restart_impl.cc).
        Path(f"/dev/shm/envoy_shared_memory_{10 * self._hot.base_id}").unlink(missing_ok=True)  # noqa: S108 - its name


def _of_node(
    site: Site, now: Callable[[], datetime], changed: Callable[[], None]
) -> tuple[Relay | None, NodeRenewal | None]:
    if site.hub is None:
        return None, None
    directory = site.run_directory.absolute().parent
    settle(directory)
    line = HubLine(directory, site.hub)
    relay = Relay(site.run_directory / HUB_SOCKET, line, site.saved, now, changed)
    return relay, NodeRenewal(site.node, directory, line, now, changed)


def _number(run_directory: Path) -> int:
    """Return a number for hot restarts that no other directory of this machine has, as good as never."""
    place = run_directory.stat()
    return int.from_bytes(sha256(f"{place.st_dev}:{place.st_ino}".encode()).digest()[:4]) & _NUMBERS
