"""Keys that are known apart from who asks: those that are banned for good, and the RSA moduli that were ever seen."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, tuple_

from bothways.store.database import Transaction
from bothways.store.schema import banned_key, certificate, modulus, request


class BanCause(StrEnum):
    """Why others can have a private key."""

    DISCLOSED = "disclosed"
    COMPROMISED = "compromised"
    SHARED_PRIME = "shared prime"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class BannedKey:
    """A key that is never certified again; `shares_with` is the SPKI pin of the other key with the same prime."""

    spki_pin: str
    cause: BanCause
    reason: str
    shares_with: str | None
    banned_at: datetime
    banned_by: str

    def document(self) -> dict[str, Any]:
        """Return the ban as the JSON object that the command line shows."""
        return {
            "spki_pin": self.spki_pin,
            "cause": self.cause.value,
            "reason": self.reason,
            "banned_at": self.banned_at.isoformat(),
            "banned_by": self.banned_by,
        }


# Made once: every approval asks, and a statement costs more to make than to run.
_BANNED = select(banned_key).where(banned_key.c.spki_pin.in_(bindparam("pins", expanding=True)))

_ORDER = (banned_key.c.banned_at, banned_key.c.spki_pin)

_CERTIFIED = (
    select(certificate.c.serial, certificate.c.tsp_id)
    .join(request, request.c.id == certificate.c.request_id)
    .where(certificate.c.revoked_at.is_(None))
)


def ban(transaction: Transaction, spki_pin: str, cause: BanCause, reason: str, shares_with: str | None = None) -> bool:
    """Store that a key is banned; return False if it was already, for whatever cause."""
    if banned(transaction.connection, (spki_pin,)):
        return False
    record = BannedKey(spki_pin, cause, reason, shares_with, transaction.now, transaction.actor)
    transaction.connection.execute(insert(banned_key).values(asdict(record) | {"cause": cause.value}))
    return True


def banned(connection: Connection, spki_pins: Collection[str]) -> dict[str, BannedKey]:
    """Return by SPKI pin those of these keys that are banned."""
    return {row.spki_pin: _record(row) for row in connection.execute(_BANNED, {"pins": list(spki_pins)})}


def every_ban(connection: Connection, after: str = "", limit: int | None = None) -> tuple[BannedKey, ...]:
    """Return the keys that are banned, oldest ban first, after the one with this SPKI pin if it is not empty.

    Nothing follows a pin that is not banned.
    """
    query = select(banned_key).order_by(*_ORDER).limit(limit)
    if after:
        last = banned(connection, (after,)).get(after)
        if last is None:
            return ()
        query = query.where(tuple_(*_ORDER) > (last.banned_at, last.spki_pin))
    return tuple(_record(row) for row in connection.execute(query))


def certified(connection: Connection, spki_pin: str, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return serial number and tspId of the certificates of a key that are neither revoked nor expired.

    Those that wait for their signature are among them.
    """
    rows = connection.execute(_CERTIFIED.where(request.c.spki_pin == spki_pin, certificate.c.not_after > now))
    return tuple((row.serial, row.tsp_id) for row in rows)


def certified_and_banned(connection: Connection, now: datetime) -> tuple[tuple[str, str], ...]:
    """Return serial number and tspId of what is in force, or is to be signed, though its key is banned."""
    # From the bans to the requests, of which there are many more: an order would make SQLite go the other way.
    pins = select(banned_key.c.spki_pin)
    found = _CERTIFIED.where(request.c.spki_pin.in_(pins), certificate.c.not_after > now)
    return tuple(sorted((row.serial, row.tsp_id) for row in connection.execute(found)))


def add_modulus(transaction: Transaction, spki_pin: str, number: int) -> None:
    """Store the modulus of an RSA key, once."""
    if not moduli(transaction.connection, (spki_pin,)):
        octets = number.to_bytes((number.bit_length() + 7) // 8)
        transaction.insert(modulus, spki_pin=spki_pin, number=octets)


def moduli(connection: Connection, spki_pins: Collection[str]) -> dict[str, int]:
    """Return by SPKI pin those of these keys' moduli that are stored."""
    rows = connection.execute(select(modulus).where(modulus.c.spki_pin.in_(spki_pins)))
    return {row.spki_pin: int.from_bytes(row.number) for row in rows}


def moduli_after(connection: Connection, after: int) -> Iterator[tuple[str, int]]:
    """Yield the SPKI pin and the modulus of each RSA key that was stored after the one with this number."""
    for row in connection.execute(select(modulus).where(modulus.c.id > after)):
        yield row.spki_pin, int.from_bytes(row.number)


def last_modulus(connection: Connection) -> int:
    """Return the number of the modulus that was stored last, 0 before the first one."""
    return int(connection.execute(select(func.coalesce(func.max(modulus.c.id), 0))).scalar_one())


def _record(row: Any) -> BannedKey:
    return BannedKey(**{**row._mapping, "cause": BanCause(row.cause)})  # noqa: SLF001 - the documented way to columns
