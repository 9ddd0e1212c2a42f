"""What is found in what a hub says of itself; that it says so is proved in tests/dataplane."""

from typing import Any

import pytest

from bothways.dataplane.envoy_state import NOTHING
from bothways.doctor.running import running_steps
from bothways.findings import Step
from bothways.operations.closure import shut_endpoint
from bothways.operations.hub import Hub
from bothways.operations.standing import unknown

NODE = unknown("eu-1") | {"connected": True, "settled": True, "version": "v2", "lag_seconds": 0.0}
HELD = {"version": "v3", "node": "eu-1", "why": "and refused it: no such address"}
NOT_REACHED = {"outcome": "unreachable", "address": "192.0.2.7:443", "said": "Connection refused", "at": "now"}
ENVOY = NOTHING | {"pid": 4711, "source": "hub"}
NO_NOTICE: dict[str, Any] = {"waiting": 0, "failing": []}


def standing(**changed: Any) -> dict[str, Any]:
    running = {"problem": "", "nodes": [NODE]}
    return {"running": running, "nodes": [NODE], "envoy": ENVOY, "notices": NO_NOTICE} | changed


def ids(steps: list[Step]) -> list[str]:
    return [finding.id for step in steps for finding in step.findings]


def seen(hub: Hub, **changed: Any) -> list[str]:
    return ids([*running_steps(hub, standing(**changed))])


def test_where_all_is_well_nothing_is_found(hub: Hub) -> None:
    assert seen(hub) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"running": None}, "DOCTOR-HUB-01"),
        ({"running": {"problem": "the list cannot be signed", "nodes": []}}, "DOCTOR-HUB-02"),
        ({"running": {"problem": "", "nodes": [], "held_back": HELD}}, "DOCTOR-NODE-05"),
        ({"envoy": NOTHING}, "DOCTOR-ENVOY-02"),
        ({"envoy": ENVOY | {"restarts": 2}}, "DOCTOR-ENVOY-03"),
        ({"envoy": ENVOY | {"snapshot": {"saved_at": "2026-11-23T12:00:00+00:00"}}}, "DOCTOR-ENVOY-04"),
        ({"nodes": [NODE | {"connected": False}]}, "DOCTOR-NODE-01"),
        ({"nodes": [NODE | {"refused": {"listener": "taken"}}]}, "DOCTOR-NODE-02"),
        ({"nodes": [NODE | {"settled": False, "lag_seconds": 9.0}]}, "DOCTOR-NODE-03"),
        ({"nodes": [NODE | {"canary": NOT_REACHED}]}, "DOCTOR-NODE-04"),
        (
            {
                "notices": {
                    "waiting": 1,
                    "failing": [{"contact": "pki@bank.example", "attempts": 3, "error": "refused"}],
                }
            },
            "DOCTOR-NOTICE-01",
        ),
    ],
)
def test_each_thing_that_ails_has_its_finding(hub: Hub, changed: dict[str, Any], expected: str) -> None:
    assert seen(hub, **changed) == [expected]


def test_an_endpoint_that_the_canary_shut_is_told_whether_the_hub_runs_or_not(hub: Hub) -> None:
    shut_endpoint(hub, "a stranger was let in")
    assert seen(hub) == ["DOCTOR-SHUT-01"]
    assert seen(hub, running=None) == ["DOCTOR-SHUT-01", "DOCTOR-HUB-01"]
