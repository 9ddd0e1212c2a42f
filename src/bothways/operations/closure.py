"""The hub's own endpoint, shut because it let a stranger in, and opened again by a person who has mended it."""

from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.store import closures
from bothways.store.closures import Closure


def shut_endpoint(hub: Hub, reason: str) -> None:
    """Shut the endpoint for everybody, until a person opens it again; a restart of the hub does not."""
    with hub.write() as transaction:
        if closures.current(transaction.connection) is None:
            closures.add(transaction, reason)
            transaction.audit("hub.shut", hub.environment.value, reason=reason)


def reopen_endpoint(hub: Hub, reason: str = "") -> Closure:
    """Open the endpoint again, and return the closure that ends. `reason` is what was mended. Raises `Conflict`."""
    with hub.write() as transaction:
        closure = closures.current(transaction.connection)
        if closure is None:
            raise Conflict("the endpoint is not shut.", "Look at: bothways hub status")
        closures.end(transaction, closure.id)
        transaction.audit("hub.reopen", hub.environment.value, before=closure.reason, reason=reason)
        return closure


def current_closure(hub: Hub) -> Closure | None:
    """Return the closure that holds now, or None while the endpoint is open."""
    with hub.read() as connection:
        return closures.current(connection)
