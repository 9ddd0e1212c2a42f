"""What is stored, as nodes are to be given it: the state, what all may have of it at once, the snapshots of both."""

from dataclasses import dataclass

from bothways.dataplane.long_lived import made_at_once
from bothways.operations.data_plane import DataPlane
from bothways.operations.hub import Hub
from bothways.operations.rollout import Record, good_state, read_rollout
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.staging import at_once
from bothways.xds.state import HubState, Identity
from bothways.xds.withdrawn import ahead


@dataclass(frozen=True, slots=True)
class Maps:
    """The states whose maps are out: of what is wanted, and of what all nodes get at once; None where nobody knows.

    `withdrawn` is what was taken away since then, and is refused beside them.
    """

    wanted: HubState | None = None
    everyone: HubState | None = None
    withdrawn: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class Derived:
    """What is stored up to a change of the database, and how far the last change has come among the nodes.

    `everyone` is what all nodes get at once of the `state`; `snapshots` are those of both, and have these `maps`.
    """

    change: int
    state: HubState
    record: Record
    everyone: HubState
    snapshots: tuple[Snapshot, Snapshot]
    maps: Maps


def derive(hub: Hub, plane: DataPlane, known: HubState | None, maps: Maps, *, staged: bool) -> Derived:
    """Return what is stored now; `known` is what all nodes may have as far as this control plane knows.

    `maps` are those that are out: what is taken away goes ahead of their successors.
    """
    record = read_rollout(hub) if staged else Record()
    state = plane.state()
    good = good_state(hub, record, state, known) if staged else None
    return Derived(plane.change, state, record, *both_snapshots(good, state, maps))


def first_of_all(hub: Hub, plane: DataPlane) -> tuple[HubState, Snapshot]:
    """Return the state, derived from everything, and what nodes are given of it before anything is tried."""
    with made_at_once():
        state = plane.state()
        return state, first_snapshot(hub, state)


def first_snapshot(hub: Hub, state: HubState) -> Snapshot:
    """Return what nodes are given before anything is tried: of a state, that which all of them may have."""
    record = read_rollout(hub) if hub.settings.nodes_staged else Record()
    _, (_, everyones), _ = both_snapshots(good_state(hub, record, state), state)
    return everyones


def both_snapshots(
    good: HubState | None, wanted: HubState, maps: Maps = Maps()
) -> tuple[HubState, tuple[Snapshot, Snapshot], Maps]:
    """Return what all nodes get at once of a state, the snapshots of the state and of that, and what maps they have."""
    everyone = at_once(good, wanted) if good else wanted
    first = ahead(maps.wanted, wanted)
    snapshot, stands = build_snapshot(first), maps.wanted if first.withdrawn else wanted
    if everyone is wanted:
        return everyone, (snapshot, snapshot), Maps(stands, stands, first.withdrawn)
    others = ahead(maps.everyone, everyone)
    found = Maps(stands, maps.everyone if others.withdrawn else everyone, others.withdrawn)
    return everyone, (snapshot, build_snapshot(others)), found
