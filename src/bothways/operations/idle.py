"""Customers whom nobody calls any more, or whose DNS fails: which ones the nodes have loaded, and are to let go."""

from collections.abc import Collection
from datetime import timedelta

from bothways.operations.hub import Hub
from bothways.store import calls, customers, endpoints

TOGETHER = 1000
"""How many are let go in one transaction."""

STALE_MOST = timedelta(days=3)
"""How long the nodes go on with a customer's last address while its DNS fails (RFC 8767 section 5)."""


def calls_seen(hub: Hub, called: Collection[str], loaded: Collection[str]) -> None:
    """Take note of customers, by tspId, that were called, and of those whose servers a node has loaded."""
    with hub.observations.write(hub.now()) as seen:
        calls.called(seen, called)
        calls.loaded(seen, loaded)


def let_go(hub: Hub) -> int:
    """Have the nodes let go the servers of customers whom none of them called for the days of the settings.

    Returns how many. Their next call is a first call again.
    """
    days, count = hub.settings.idle_days, 0
    while days:
        with hub.observations.read() as seen:
            idle = calls.idle_since(seen, hub.now() - timedelta(days=days), TOGETHER)
        if not idle:
            break
        _let_go(hub, idle)
        count += len(idle)
    return count


def let_go_stale(hub: Hub, tsp_id: str) -> bool:
    """Have the nodes forget a customer's last address, if by its probes its DNS has failed for `STALE_MOST`.

    Tells whether they do. Each asks DNS anew with the next call: where it answers a node, that loses no call.
    """
    with hub.read() as connection:
        kept = endpoints.probes(connection, tsp_id)
    answered = [each.fact.at for each in kept if each.name_answered and each.fact.address == kept[0].fact.address]
    if not answered or hub.now() - max(answered) < STALE_MOST:
        return False
    with hub.observations.read() as seen:
        if not calls.is_loaded(seen, tsp_id):
            return False
    _let_go(hub, (tsp_id,))
    return True


def _let_go(hub: Hub, tsp_ids: Collection[str]) -> None:
    with hub.write() as transaction:
        customers.let_go(transaction, tsp_ids)
    # Only now: whoever is cut off in between lets them go once more, which costs nobody anything.
    with hub.observations.write(hub.now()) as seen:
        calls.forget(seen, tsp_ids)
