"""The customers' part in a rotation of the hub's client certificate (R15): each is asked if it takes the next one."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bothways.operations.data_plane import hub_state
from bothways.operations.hub import Hub
from bothways.operations.rotation import (
    credential_pair,
    held_customers,
    make_next,
    put_next_to_use,
    release_customer,
    to_be_asked,
    waiting_next,
)
from bothways.operations.upkeep import ACTOR
from bothways.outbound.handshake import Seen, Verdict, Way, accepts
from bothways.store.authorities import Credential
from bothways.xds.state import CustomerServer, KeyPair

AT_ONCE = 16
"""Customers that are asked at the same time: 10,000 silent ones take less than two hours, of two days."""

LOOK = 10.0
"""Seconds between two looks for a certificate that the clock has made."""

HELD_AGAIN = 3600.0
"""Seconds after which customers that did not take a certificate are asked again."""

_log = logging.getLogger(__name__)

Progress = Callable[[int], Callable[[], None]]
"""Told how many customers will be asked; what it returns is called after each."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """What came of one: the serial number in hex, what was seen by tspId, and whether it is in use through this."""

    serial: str
    seen: dict[str, Seen]
    switched: bool

    @property
    def held(self) -> dict[str, str]:
        """Why customers stay with what they are shown, by tspId."""
        return {tsp_id: each.said for tsp_id, each in self.seen.items() if each.verdict is not Verdict.ACCEPTED}

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        held = [{"customer": tsp_id, "reason": said} for tsp_id, said in sorted(self.held.items())]
        return {"serial": self.serial, "asked": len(self.seen), "held": held}


async def keep_rotating(hub: Hub, held: Callable[[], bool] = lambda: True) -> None:
    """Finish the rotations that the clock began, and ask again who is held, until this task is cancelled.

    `held` tells whether it is for this control plane to do it.
    """
    hub, ask_again = replace(hub, actor=ACTOR), time.monotonic() + HELD_AGAIN
    while True:
        if not held():
            await asyncio.sleep(LOOK)
            continue
        try:
            if done := await asyncio.to_thread(finish_rotation, hub):
                _log.info("client certificate %s: %d customers were asked", done.serial, len(done.seen))
                for tsp_id, said in done.held.items():
                    _log.warning("customer %s does not take it, and is shown the one before: %s", tsp_id, said)
            if time.monotonic() > ask_again:
                for tsp_id in await asyncio.to_thread(ask_held_customers, hub):
                    _log.info("customer %s takes the client certificate that the others are shown", tsp_id)
                ask_again = time.monotonic() + HELD_AGAIN
        except Exception as error:  # noqa: BLE001 - whatever it was: it is tried again, and the clock rotates in the end
            _log.error("customers cannot be asked about the client certificate: %s: %s", type(error).__name__, error)
        await asyncio.sleep(LOOK)


def rotate_when_asked(hub: Hub, progress: Progress = lambda _all: lambda: None) -> Rotation:
    """Make the next client certificate, ask each customer, and put it to use for those who take it."""
    return _rotate(hub, make_next(hub), progress)


def finish_rotation(hub: Hub) -> Rotation | None:
    """Do the same for a next certificate that the clock has made; None if there is none."""
    following = waiting_next(hub)
    return _rotate(hub, following, lambda _all: lambda: None) if following else None


def ask_held_customers(hub: Hub) -> tuple[str, ...]:
    """Ask those again who did not take the certificate that the others are shown; return who does now."""
    held = held_customers(hub)
    if not held:
        return ()
    state = hub_state(hub)
    servers = [(each, state.client_of(each)) for each in state.customers if each.tsp_id in held]
    seen = _ask(hub, servers, state.client, lambda _all: lambda: None)
    taken = tuple(tsp_id for tsp_id, each in seen.items() if each.verdict is Verdict.ACCEPTED)
    for tsp_id in taken:
        release_customer(hub, tsp_id, "it takes the new one")
    return taken


def _rotate(hub: Hub, following: Credential, progress: Progress) -> Rotation:
    seen = _ask(hub, to_be_asked(hub), credential_pair(hub, following), progress)
    taken = [tsp_id for tsp_id, each in seen.items() if each.verdict is Verdict.ACCEPTED]
    rotation = Rotation(f"{following.certificate.serial_number:x}", seen, switched=False)
    switched = put_next_to_use(hub, following, rotation.held, taken)
    return Rotation(rotation.serial, seen, switched)


def _ask(
    hub: Hub, servers: Collection[tuple[CustomerServer, KeyPair]], following: KeyPair, progress: Progress
) -> dict[str, Seen]:
    way = Way(hub.terms.outbound.probe_path, hub.settings.danger_outbound_loopback, hub.run_directory)
    seen: dict[str, Seen] = {}
    step = progress(len(servers))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = pool.map(partial(_asked, following=following, way=way), servers)
        for (server, _), each in zip(servers, asked, strict=True):
            seen[server.tsp_id] = each
            step()
    return seen


def _asked(one: tuple[CustomerServer, KeyPair], following: KeyPair, way: Way) -> Seen:
    server, present = one
    try:
        return accepts(server, present, following, way)
    except Exception as error:  # noqa: BLE001 - whatever it was: one customer's server must not stop all others
        _log.error("customer %s cannot be asked: %s: %s", server.tsp_id, type(error).__name__, error)
        return Seen(Verdict.UNKNOWN, f"it cannot be asked: {type(error).__name__}")
