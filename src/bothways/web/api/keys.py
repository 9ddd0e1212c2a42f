"""Keys in the API: those that are banned, ban one, and those that the other environment has to refuse."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from bothways.operations import keys
from bothways.operations.chains import known_authorities
from bothways.operations.hub import Hub
from bothways.operations.keys import require_named
from bothways.registry.access import Action
from bothways.store.keys import BannedKey
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body
from bothways.web.api.paging import LIMIT, PLAIN_MOST, Limit, PlainLimit, page

_KEPT = timedelta(minutes=5)
_Cursor = Annotated[str, Query(max_length=64, description="`next` of the page before.")]


class Ban(Body):
    """Keys that others can have: pins, or certificates, requests and keys in PEM; and how that is known."""

    key: str = Field(min_length=1, max_length=1_000_000)
    reason: str = Field(min_length=1, max_length=1000)


def keys_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router, known = gate.router("keys"), _Known()

    @router.get("/banned")
    def _list(by: Asks, after: _Cursor = "", limit: Limit = LIMIT) -> Document:
        """List the keys that are banned, oldest ban first."""
        found = keys.list_banned_keys(by.may(Action.HUB_READ), after, limit + 1)
        return page(found, limit, lambda each: each.spki_pin, BannedKey.document)

    @router.post("/banned", status_code=201)
    async def _ban(by: Asks, body: Ban) -> Document:
        """Ban keys for good, for all customers, and revoke what is certified under them (keyCompromise)."""

        def work() -> Document:
            hub = by.may(Action.HUB_WRITE)
            pins = require_named(body.key.encode(errors="replace"))
            done = keys.ban_keys(hub, pins, body.reason)
            return {"banned": sorted(pins), "new": [*done.spki_pins], "revoked": [*done.revoked]}

        return await by.change(work)

    @router.get("/known")
    def _known(by: Asks, after: _Cursor = "", limit: PlainLimit = PLAIN_MOST) -> Document:
        """List the SHA-256 of each key that the hub of the other environment has to refuse."""
        return page(known.after(by.may(Action.HUB_READ), after, limit + 1), limit, str, str)

    return router


class _Known:
    """The digests that the other environment has to refuse, kept from one page to the next.

    To read the CAs of 100,000 chains takes ten seconds, and there are dozens of pages.
    """

    def __init__(self) -> None:
        self._made = datetime.min.replace(tzinfo=UTC), list[str]()

    def after(self, hub: Hub, after: str, limit: int) -> list[str]:
        """Return so many after a digest: of now from the first on, else as they were when that was asked for."""
        at, pins = self._made
        if not after or hub.now() - at > _KEPT:
            pins = sorted({*keys.every_known_key(hub), *known_authorities(hub)})
            self._made = hub.now(), pins
        place = bisect_right(pins, after)
        return pins[place : place + limit]
