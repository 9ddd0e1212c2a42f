"""The change from one server CA to the next: who is behind, and the endpoint changed over, or back.

A customer is behind if it can call and has not taken the contract since it names the next CA: it may trust the old one
alone. While that one is not retired, the link certificate leads such a customer to what the next one signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bothways.errors import Conflict, NotFound
from bothways.operations.hub import Hub, sign_for_hub
from bothways.operations.server_authority import ends_soon
from bothways.store import authorities, contracts
from bothways.store.authorities import Authority, Role
from bothways.store.contracts import Taken, Way
from bothways.store.customers import find

_PAGE = 200
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer stands to the next server CA: when it took the contract that names that, None if it is not known.

    `always` is whether it was registered since, and never had another contract.
    """

    taken: Taken | None
    always: bool


def activate_authority(hub: Hub, number: int, reason: str, *, force: bool = False) -> dict[str, Any]:
    """Have endpoint and portal show a certificate of this server CA from now on, and say why.

    Returns the new certificate as a JSON object. Raises `NotFound`, or `Conflict` if it is no server CA that customers
    are told to trust, if it is in use already, or if customers that may not trust it cannot find the way to it by a
    link certificate; `force` leaves those behind.
    """
    with hub.write() as transaction:
        connection, now = transaction.connection, transaction.now
        newest, *others = trusted = authorities.trusted(connection, Role.SERVER)
        wanted = next((each for each in trusted if each.id == number), None)
        current = authorities.current_credential(connection, Role.SERVER)
        if wanted is None:
            raise _unmeant(connection, number)
        if number == current.authority_id:
            raise Conflict(f"the server CA {number} signs for the endpoint already.")
        if wanted in others and ends_soon(wanted, newest, now):
            end = wanted.certificate.not_valid_after_utc
            raise Conflict(f"the server CA {number} ends on {end:%Y-%m-%d}: it is too late to go back to it.")
        if wanted is newest and newest.link is None and not force:
            require_nobody_behind(connection, newest, now, "is not linked to the one before")
        serial = sign_for_hub(hub, transaction, Role.SERVER, issuer=wanted)
        transaction.audit(
            "authority.activate", str(number), serial=serial, before=str(current.authority_id), reason=reason
        )
    return {"id": number, "state": "signing", "serial": serial}


def customers_behind(connection: Connection, authority: Authority, now: datetime) -> int | None:
    """Return how many customers are behind a server CA; None unless it is the next one, beside the one before."""
    if not _is_next(connection, authority):
        return None
    return contracts.count_behind(connection, authorities.announced_at(connection, authority.id), now)


def require_nobody_behind(connection: Connection, authority: Authority, now: datetime, why: str = "") -> None:
    """Raise `Conflict` if customers would be lost who have not taken the contract since it names the next server CA.

    By the retirement of this CA if it is the one before that, unless it has ended; or because of `why`.
    """
    newest, *others = authorities.trusted(connection, Role.SERVER)
    lost = bool(why) or (authority in others and authority.certificate.not_valid_after_utc > now)
    since = authorities.announced_at(connection, newest.id)
    if not lost or not (left := contracts.count_behind(connection, since, now)):
        return
    named = ", ".join(contracts.behind(connection, since, now, "", _NAMED))
    who = "1 customer has" if left == 1 else f"{left} customers have"
    raise Conflict(
        f"the server CA {newest.id} {why or f'takes the place of {authority.id}'}, and {who} not taken "
        f"the contract since it is named there: {named}{', ...' if left > _NAMED else ''}. They would not believe the "
        "endpoint any more.",
        f"Who they are: bothways hub authority behind {newest.id}. To leave them behind: --force",
    )


def list_behind(hub: Hub, number: int, after: str = "", limit: int = _PAGE) -> list[dict[str, Any]]:
    """Return the customers behind the next server CA that come after this tspId, as JSON objects. Raises `NotFound`."""
    with hub.read() as connection:
        found = next((each for each in authorities.trusted(connection, Role.SERVER) if each.id == number), None)
        if found is None or not _is_next(connection, found):
            raise _unmeant(connection, number)
        since = authorities.announced_at(connection, number)
        named = contracts.behind(connection, since, hub.now(), after, limit)
    return [{"customer": tsp_id, "organization": organization} for tsp_id, organization in named.items()]


def every_behind(hub: Hub, number: int) -> Iterator[dict[str, Any]]:
    """Yield all of them."""
    after: str | None = ""
    while after is not None:
        page = list_behind(hub, number, after)
        yield from page
        after = page[-1]["customer"] if len(page) == _PAGE else None


def contract_taken(hub: Hub, tsp_id: str, way: Way) -> None:
    """Record that a customer has the contract that is in force; nothing if that says nothing new."""
    with hub.read() as connection:
        if _known(connection, tsp_id):
            return
    with hub.write() as transaction:
        # Again, for another process may have written it meanwhile.
        if not _known(transaction.connection, tsp_id):
            find(transaction.connection, tsp_id)
            contracts.take(transaction, tsp_id, way)
            transaction.audit("contract.take", tsp_id, way=way.value)


def standing(hub: Hub, tsp_id: str) -> Standing | None:
    """Return how a customer stands to the next server CA; None if there is none beside the one in use. `NotFound`."""
    with hub.read() as connection:
        since = _under_way(connection)
        if since is None:
            return None
        last = contracts.last_taken(connection, tsp_id)
        always = find(connection, tsp_id).created_at >= since
    return Standing(last if last and last.at >= since else None, always)


def _under_way(connection: Connection) -> datetime | None:
    """Return since when the contract names a next server CA; None if it names one alone."""
    newest, *others = authorities.trusted(connection, Role.SERVER)
    return authorities.announced_at(connection, newest.id) if others else None


def _known(connection: Connection, tsp_id: str) -> bool:
    since = _under_way(connection)
    last = contracts.last_taken(connection, tsp_id) if since else None
    return since is None or (last is not None and last.at >= since)


def _is_next(connection: Connection, authority: Authority) -> bool:
    newest, *others = authorities.trusted(connection, Role.SERVER)
    return bool(others) and authority.id == newest.id


def _unmeant(connection: Connection, number: int) -> NotFound | Conflict:
    """Return what is to be said of a number that is not that of a server CA which can be meant."""
    if number not in {each.id for each in authorities.every_authority(connection)}:
        return NotFound(f"there is no CA {number}.", "Look at: bothways hub authority list")
    return Conflict(
        f"the CA {number} is no server CA beside another that is trusted.",
        "Look at: bothways hub authority list",
    )
