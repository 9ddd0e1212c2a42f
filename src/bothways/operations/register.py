"""The register of customers, page by page, each with the state of its flows and what ends first."""

from dataclasses import dataclass
from datetime import datetime

from bothways.connectivity.assess import EXPIRING, Assessment, assess
from bothways.connectivity.facts import Facts
from bothways.operations.hub import Hub
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import customers, facts, register
from bothways.store.register import Attention, Filter


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """A customer at a glance; `ends_at` is when the first of its flows loses what it stands on."""

    customer: Customer
    assessment: Assessment
    ends_at: datetime | None


def page_register(
    hub: Hub,
    find: str = "",
    kind: CustomerKind | None = None,
    attention: Attention | None = None,
    after: str = "",
    limit: int = 50,
) -> tuple[RegisterLine, ...]:
    """Return at most `limit` customers after this tspId that fit, in the order of their tspIds."""
    now = hub.now()
    wanted = Filter(now, now + EXPIRING, find.strip(), kind, attention)
    with hub.read() as connection:
        found = register.page(connection, wanted, after, limit)
        named, known = customers.many(connection, found), facts.facts_of_many(connection, found)
    return tuple(RegisterLine(named[each], assess(known[each], now), _first_end(known[each], now)) for each in found)


def _first_end(known: Facts, now: datetime) -> datetime | None:
    issued = max((each.not_after for each in known.certificates if each.active(now)), default=None)
    endorsed = max((each.until for each in known.anchors if each.until > now), default=None)
    return min((each for each in (issued, endorsed, known.client_until) if each), default=None)
