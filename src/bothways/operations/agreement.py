"""What all control planes on one database have to agree on: the terms, and the passphrase of the keys.

Both are in files of each. The database has a digest of the terms, and how often the passphrase was changed.
"""

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from bothways.contract.document import Terms
from bothways.contract.render import render_terms
from bothways.errors import BothwaysError, Unusable
from bothways.pki.keys import sha256
from bothways.store import sealed_keys, statement_keys
from bothways.store.database import Database, Transaction
from bothways.store.schema import hub as hub_table
from bothways.store.statement_keys import Purpose

if TYPE_CHECKING:
    from bothways.operations.hub import Hub

_log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks."""

WITHIN = 60.0
"""Seconds that a control plane waits for the new passphrase in its file; it goes on with the keys that it has open."""


def digest(terms: Terms) -> str:
    """Return the SHA-256 of terms as they are written."""
    return sha256(render_terms(terms).encode())


def agreed(connection: Connection) -> str | None:
    """Return the digest of the terms that all control planes have; None if nobody has said them yet."""
    found: str | None = connection.execute(select(hub_table.c.terms)).scalar_one()
    return found


def set_agreed(transaction: Transaction, terms: Terms) -> None:
    """Make these the terms of all control planes."""
    transaction.connection.execute(update(hub_table).values(terms=digest(terms)))


def require_agreed(database: Database, terms: Terms, where: str) -> None:
    """Raise `Unusable` if the control planes on the database have other terms than these.

    With a file as database there is one control plane, and its terms are those of the hub.
    """
    if other := _other_terms(database, terms, where):
        raise other


def prove_passphrase(hub: "Hub", path: Path) -> None:
    """Raise `Unusable` unless the passphrase opens the keys as they are sealed now; `path` is its file, to be told."""
    with hub.read() as connection:
        name = statement_keys.find(connection, Purpose.AUDIT).name
        version = sealed_keys.version(connection)
    try:
        hub.keys.prove(name)
    except Unusable as error:
        changed = f", and was changed {version - 1} times: this may be an older one" if version > 1 else ""
        raise Unusable(
            f"the passphrase in {path} does not open the hub's keys{changed}. Put the present one there."
        ) from error


async def keep_agreeing(hub: "Hub") -> None:
    """Look until this task is cancelled whether this control plane has the terms and the passphrase that all have.

    Raises `Unusable` if it has not: other terms would certify what the others refuse, and without the passphrase it
    could open no key that is made from now on.
    """
    since: float | None = None
    while True:
        try:
            other, missing = await asyncio.to_thread(_disagreement, hub)
        except BothwaysError:
            # A database that is away is told by whoever publishes from it.
            other, missing = None, None
        if other:
            raise other
        if missing is None:
            since = None
        elif since is None:
            since = time.monotonic()
            _log.warning("%s It ends in %.0f seconds, unless that is done", missing, WITHIN)
        elif time.monotonic() - since > WITHIN:
            raise missing
        await asyncio.sleep(LOOK)


def _disagreement(hub: "Hub") -> tuple[Unusable | None, Unusable | None]:
    return _other_terms(hub.database, hub.terms, str(hub.directory)), _missing_passphrase(hub)


def _other_terms(database: Database, terms: Terms, where: str) -> Unusable | None:
    if not isinstance(database.place, str):
        return None
    with database.read() as connection:
        wanted = agreed(connection)
    if wanted in {None, digest(terms)}:
        return None
    return Unusable(
        f"the terms in {where} are not those that this hub's control planes have agreed on: SHA-256 found "
        f"{digest(terms)}, wanted {wanted}. Copy contract.toml from one of the others; or, if these are the new "
        "terms, let all have them: bothways hub terms --take"
    )


def _missing_passphrase(hub: "Hub") -> Unusable | None:
    with hub.read() as connection:
        version = sealed_keys.version(connection)
    if version != hub.keys.version:
        try:
            prove_passphrase(hub, hub.directory / hub.settings.passphrase_file)
        except Unusable as error:
            return error
        _log.info("the passphrase of the hub's keys was changed, and read anew: version %d", version)
    return None


def take_terms(hub: "Hub") -> tuple[str | None, str]:
    """Make the terms in the hub's directory those of all control planes; return the digest before, and the present one.

    Each that runs with other ones ends, and starts again with the new ones once it has them.
    """
    with hub.write() as transaction:
        before, after = agreed(transaction.connection), digest(hub.terms)
        if before != after:
            set_agreed(transaction, hub.terms)
            transaction.audit("hub.terms", "contract.toml", before=before, after=after)
    return before, after
