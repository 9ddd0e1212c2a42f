"""Keys in the API: those that are banned, ban one, and those that the other environment has to refuse."""

from fastapi import APIRouter
from pydantic import Field

from bothways.operations import keys
from bothways.operations.chains import known_authorities
from bothways.operations.keys import require_named
from bothways.registry.access import Action
from bothways.store.keys import BannedKey
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page


class Ban(Body):
    """Keys that others can have: pins, or certificates, requests and keys in PEM; and how that is known."""

    key: str = Field(min_length=1, max_length=1_000_000)
    reason: str = Field(min_length=1, max_length=1000)


def keys_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("keys")

    @router.get("/banned")
    def _list(by: Asks, after: NumberCursor = 0, limit: Limit = LIMIT) -> Document:
        """List the keys that are banned, oldest ban first."""
        found = list(enumerate(keys.list_banned_keys(by.may(Action.HUB_READ)), 1))[after:]

        def document(each: tuple[int, BannedKey]) -> Document:
            return each[1].document()

        return page(found[: limit + 1], limit, lambda each: each[0], document)

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
    def _known(by: Asks) -> Document:
        """List the SHA-256 of each key that the hub of the other environment has to refuse."""
        hub = by.may(Action.HUB_READ)
        return {"pins": sorted({*keys.every_known_key(hub), *known_authorities(hub)})}

    return router
