"""The type of every moment in the database: in UTC, on whatever database."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no time zone, so it goes in without and comes out with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what writes a moment; those of one transaction are few, and stand in many rows."""
        written = super().bind_processor(dialect)
        return written and lru_cache(maxsize=16)(written)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a moment without a time zone: it could mean anything."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the moment its time zone back."""
        del dialect
        return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None
