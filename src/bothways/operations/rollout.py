"""How far a change has come on its way to the nodes, for all control planes: what all may have, what is held back."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bothways.errors import Conflict
from bothways.operations.data_plane import key_pair
from bothways.operations.hub import Hub
from bothways.pki.chain import fingerprint
from bothways.store import authorities, rollout
from bothways.store.authorities import Role
from bothways.xds.kept import Common, digest_of, in_common, restored
from bothways.xds.staging import HeldBack
from bothways.xds.state import HubState, KeyPair


@dataclass(frozen=True, slots=True)
class Record:
    """What all nodes may have in common, None before there is any; and what is held back, if anything is."""

    given: Common | None = None
    held: HeldBack | None = None


def read_rollout(hub: Hub) -> Record:
    """Return what is on record."""
    with hub.read() as connection:
        return _record(connection)


def good_state(hub: Hub, record: Record, wanted: HubState, known: HubState | None = None) -> HubState | None:
    """Return the last state that all nodes may have, None if nobody knows: by the record, customers as in `known`."""
    if record.given is None:
        return known
    pairs = {each.fingerprint: each for state in (wanted, known) if state for each in (state.server, state.client)}
    if missing := {record.given["server"], record.given["client"]} - pairs.keys():
        pairs |= _pairs(hub, missing)
    found = restored(record.given, wanted, pairs)
    return replace(found, customers=known.customers, tracing=known.tracing) if known else found


def keep_given(hub: Hub, good: HubState, wanted: HubState, record: Record) -> None:
    """Put on record what all nodes may have, if that is another than the `record` says.

    If somebody else has put something else on record meanwhile, that holds: whoever did knows more.
    """
    given, done = in_common(good), digest_of(good) == digest_of(wanted)
    if given == record.given and not (record.held and done):
        return
    with hub.write() as transaction:
        if _record(transaction.connection) == record:
            rollout.give(transaction, given)
            if done:
                rollout.hold(transaction, None)


def pass_to_all(hub: Hub, wanted: HubState) -> None:
    """Put on record that one node has confirmed it, and that all may have it."""
    with hub.write() as transaction:
        rollout.give(transaction, in_common(wanted))
        rollout.hold(transaction, None)


def hold_back(hub: Hub, held: HeldBack) -> None:
    """Put on record that no other node is to be given it; the same again has no second line in the audit."""
    with hub.write() as transaction:
        before = _record(transaction.connection).held
        rollout.hold(transaction, asdict(held) | {"again_at": held.again_at and held.again_at.isoformat()})
        if before is None or (before.digest, before.why) != (held.digest, held.why):
            transaction.audit("hub.hold", held.version, node=held.node, reason=held.why)


def release(hub: Hub, held: HeldBack) -> None:
    """Take from the record that it is held back, for it is tried again by itself."""
    with hub.write() as transaction:
        if _record(transaction.connection).held == held:
            rollout.hold(transaction, None)


def try_again(hub: Hub, reason: str = "") -> HeldBack:
    """Have what is held back tried at one node again, and return it. Raises `Conflict` if nothing is."""
    with hub.write() as transaction:
        held = _record(transaction.connection).held
        if held is None:
            raise Conflict("nothing is held back.", "Look at: bothways hub status")
        rollout.hold(transaction, None)
        transaction.audit("hub.retry", held.version, node=held.node, before=held.why, reason=reason)
        return held


def _record(connection: Connection) -> Record:
    given, held = rollout.find(connection)
    return Record(given, _held(held) if held else None)


def _held(said: dict[str, Any]) -> HeldBack:
    return HeldBack(**said | {"again_at": said["again_at"] and datetime.fromisoformat(said["again_at"])})


def _pairs(hub: Hub, fingerprints: set[str]) -> dict[str, KeyPair]:
    """Return those of the hub's key pairs that have these fingerprints."""
    with hub.read() as connection:
        used = [each for role in (Role.SERVER, Role.CLIENT) for each in authorities.used_credentials(connection, role)]
        found = (key_pair(hub, each) for each in used if fingerprint(each.certificate) in fingerprints)
        return {each.fingerprint: each for each in found}
