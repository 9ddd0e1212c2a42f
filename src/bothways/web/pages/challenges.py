"""What was asked of a browser and is expected back, once and soon: the challenges of passkeys, the states of OIDC.

In memory, for a hub that was started again asks again. Where there are several control planes, the answer may come to
any: it is in their database, and whoever takes it takes it from all.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bothways.operations.hub import Hub
from bothways.operations.under_way import Document, Kind, take, tell
from bothways.web.limits import Limits

LIFE = timedelta(minutes=10)
_MOST = 10_000
_TOLD, _TOLD_PER_SECOND = 100, 10.0

_Kept = TypeVar("_Kept")


class Challenges(Generic[_Kept]):
    """Values by a name that nobody can guess; `told` makes a document of one, and `read` one of a document."""

    def __init__(
        self, hub: Hub, kind: Kind, told: Callable[[_Kept], Document], read: Callable[[Document], _Kept]
    ) -> None:
        self._hub, self._kind, self._told, self._read = hub, kind, told, read
        self._kept: dict[str, tuple[datetime, _Kept]] = {}
        self._limits = Limits(_TOLD, _TOLD_PER_SECOND)

    async def keep(self, value: _Kept, name: str | None = None) -> str:
        """Keep a value for ten minutes; return its name. Beyond 10,000 in memory, the oldest is forgotten."""
        name, now = name or secrets.token_urlsafe(32), self._hub.now()
        # Who asks has not signed in: a flood is kept here, and is none of writes.
        if self._hub.database.shared and not self._limits.wait("", now):
            await asyncio.to_thread(tell, self._hub, self._kind, _digest(name), self._told(value), LIFE)
            return name
        while self._kept and (len(self._kept) >= _MOST or now - next(iter(self._kept.values()))[0] > LIFE):
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (now, value)
        return name

    async def take(self, name: str) -> _Kept | None:
        """Return a value, which is not kept any more; None if there is none, or it is too old."""
        at, value = self._kept.pop(name, (None, None))
        if at is not None:
            return value if self._hub.now() - at <= LIFE else None
        said = await asyncio.to_thread(take, self._hub, self._kind, _digest(name), LIFE)
        return None if said is None else self._read(said)


def _digest(name: str) -> str:
    """Return what it is stored under: whoever reads the database cannot answer in its place."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
