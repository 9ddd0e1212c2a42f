"""Requests that are sent twice and done once: what was answered under a key is answered again, for a day."""

from datetime import timedelta

from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.store import answered
from bothways.store.answered import Answered

KEPT = timedelta(days=1)
"""How long an answer is kept under its key."""


def begin(hub: Hub, key: str, digest: str) -> Answered | None:
    """Take a key for the request with this digest; return what was answered, if it was done already.

    Raises `Conflict` if another request was sent under the key, or nobody knows what became of the first one.
    """
    with hub.write() as transaction:
        answered.forget_before(transaction, transaction.now - KEPT)
        known = answered.find(transaction.connection, hub.actor, key)
        if known is None:
            answered.begin(transaction, hub.actor, key, digest)
            return None
    if known.digest != digest:
        raise Conflict(f"another request was sent under the Idempotency-Key {key!r}. Take a new key for a new request.")
    if known.status is None:
        raise Conflict(
            f"the request under the Idempotency-Key {key!r} is being done, or the hub ended while it was. Send it again"
            " in a moment; if this answer stays, look what became of it, and take a new key."
        )
    if known.answer is None:
        raise Conflict(
            "this was done already. Its answer held a secret, which is shown once: if it is lost, make anew."
        )
    return known


def finish(hub: Hub, key: str, status: int, answer: str | None) -> None:
    """Keep what was answered under the key; `answer` is None if it holds a secret."""
    with hub.write() as transaction:
        answered.finish(transaction, hub.actor, key, status, answer)


def give_up(hub: Hub, key: str) -> None:
    """Let the key be used again: what was asked under it was not done."""
    with hub.write() as transaction:
        answered.forget(transaction, hub.actor, key)
