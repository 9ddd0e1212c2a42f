"""What is stored, as nodes are to be given it: the state, what all may have of it at once, the snapshots of both."""

from dataclasses import dataclass

from bothways.operations.data_plane import DataPlane
from bothways.operations.hub import Hub
from bothways.operations.rollout import Record, good_state, read_rollout
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.staging import at_once
from bothways.xds.state import HubState


@dataclass(frozen=True, slots=True)
class Derived:
    """What is stored up to a change of the database, and how far the last change has come among the nodes.

    `everyone` is what all nodes get at once of the `state`; `snapshots` are those of both.
    """

    change: int
    state: HubState
    record: Record
    everyone: HubState
    snapshots: tuple[Snapshot, Snapshot]


def derive(hub: Hub, plane: DataPlane, known: HubState | None, *, staged: bool) -> Derived:
    """Return what is stored now; `known` is what all nodes may have as far as this control plane knows."""
    record = read_rollout(hub) if staged else Record()
    state = plane.state()
    good = good_state(hub, record, state, known) if staged else None
    return Derived(plane.change, state, record, *both_snapshots(good, state))


def first_snapshot(hub: Hub, state: HubState) -> Snapshot:
    """Return what nodes are given before anything is tried: of a state, that which all of them may have."""
    record = read_rollout(hub) if hub.settings.nodes_staged else Record()
    return both_snapshots(good_state(hub, record, state), state)[1][1]


def both_snapshots(good: HubState | None, wanted: HubState) -> tuple[HubState, tuple[Snapshot, Snapshot]]:
    """Return what all nodes get at once of a state, and the snapshots of the state and of that."""
    everyone = at_once(good, wanted) if good else wanted
    snapshot = build_snapshot(wanted)
    return everyone, (snapshot, snapshot if everyone is wanted else build_snapshot(everyone))
