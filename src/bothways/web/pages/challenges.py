"""What was asked of a browser and is expected back, once and soon: the challenges of passkeys, the states of OIDC."""

import secrets
from datetime import datetime, timedelta
from typing import Generic, TypeVar

LIFE = timedelta(minutes=10)
_MOST = 10_000

_Kept = TypeVar("_Kept")


class Challenges(Generic[_Kept]):
    """Values by a name that nobody can guess. In memory: a hub that was started again asks again."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[datetime, _Kept]] = {}

    def keep(self, value: _Kept, now: datetime, name: str | None = None) -> str:
        """Keep a value for ten minutes; return its name. Beyond 10,000, the oldest is forgotten."""
        name = name or secrets.token_urlsafe(32)
        while self._kept and (len(self._kept) >= _MOST or now - next(iter(self._kept.values()))[0] > LIFE):
            del self._kept[next(iter(self._kept))]
        self._kept[name] = (now, value)
        return name

    def take(self, name: str, now: datetime) -> _Kept | None:
        """Return a value, which is not kept any more; None if there is none, or it is too old."""
        at, value = self._kept.pop(name, (None, None))
        return value if at is not None and now - at <= LIFE else None
