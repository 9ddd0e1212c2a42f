"""How the whole hub stands: what a running one says of itself, beside what is stored."""

from typing import Any

from bothways.dataplane.envoy_state import state_of
from bothways.errors import Unusable
from bothways.operations.delivery import notice_states
from bothways.operations.expiry import expiring
from bothways.operations.fleet import stored_nodes
from bothways.operations.hub import Hub
from bothways.operations.nodes import authorities_in_use
from bothways.operations.observations import failed_calls
from bothways.operations.revocation import list_states
from bothways.operations.rotation import own_certificates


def hub_standing(hub: Hub, running: dict[str, Any] | None) -> dict[str, Any]:
    """Return how the hub stands; `running` is what it says of itself, None if it does not run."""
    used = authorities_in_use(hub)
    nodes = running["nodes"] if running else _stored(hub)
    return {
        "environment": hub.environment.value,
        "endpoint": hub.terms.endpoint,
        "portal": hub.terms.portal,
        "running": running,
        "nodes": [each | {"authority": used.get(each["node"])} for each in nodes],
        "envoy": state_of(hub.run_directory),
        "certificates": own_certificates(hub),
        "revocation_lists": list_states(hub),
        "expiring": [each.document(hub.now()) for each in expiring(hub)],
        "notices": notice_states(hub),
        "failed_calls": failed_calls(hub),
    }


def _stored(hub: Hub) -> list[dict[str, Any]]:
    """Return how the nodes stand by what was written down; nothing, if that cannot be read."""
    try:
        return stored_nodes(hub)
    except Unusable:
        return []
