"""Customers whom nobody calls any more: which ones the nodes have loaded, and which of them they are to let go."""

from collections.abc import Collection
from datetime import timedelta

from bothways.operations.hub import Hub
from bothways.store import calls, customers

TOGETHER = 1000
"""How many are let go in one transaction."""


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
        with hub.write() as transaction:
            customers.let_go(transaction, idle)
        # Only now: whoever is cut off in between lets them go once more, which costs nobody anything.
        with hub.observations.write(hub.now()) as seen:
            calls.forget(seen, idle)
        count += len(idle)
    return count
