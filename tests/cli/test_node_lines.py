"""What is read of a node in the status."""

from typing import Any

import pytest

from bothways.cli.node_lines import node_lines, plane_lines
from bothways.operations.standing import unknown

THERE = unknown("eu-1") | {
    "connected": True,
    "since": "2026-11-26T10:00:00+00:00",
    "version": "v2",
    "answered_at": "2026-11-26T10:00:07+00:00",
    "settled": True,
    "lag_seconds": 0.0,
    "control_plane": "hub-1:8444",
    "authority": None,
}


def line(changed: dict[str, Any], planes: int = 1) -> str:
    running = {"control_planes": [{"name": "hub"}] * planes}
    [found] = node_lines({"running": running, "nodes": [THERE | changed]})
    return found


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "connected since 2026-11-26T10:00:00, up to date, confirmed last 2026-11-26T10:00:07"),
        (
            {"settled": False, "lag_seconds": 4.2, "refused": {"listener": "in use"}},
            "at version v2, 4 s behind, confirmed last 2026-11-26T10:00:07; refused: in use",
        ),
        ({"settled": False, "lag_seconds": 300.0}, "at version v2, 5 min behind"),
        ({"authority": 4}, "confirmed last 2026-11-26T10:00:07, certificate of CA 4"),
        ({"connected": False, "authority": 4}, "if it runs, it goes on with what it has, certificate of CA 4"),
        ({"customers": 1200}, "1,200 servers of customers loaded"),
        (
            {"connected": False},
            "not connected since 2026-11-26T10:00:00; it had version v2, confirmed last 2026-11-26T10:00:07; if",
        ),
        ({"connected": False, "since": None, "version": "", "answered_at": None}, "since this hub was started; if it"),
    ],
)
def test_a_node_is_told_in_a_line(changed: dict[str, Any], said: str) -> None:
    assert said in line(changed)


def test_to_which_control_plane_is_said_where_there_are_several() -> None:
    assert "connected to hub-1:8444 since" in line({}, 2)
    assert "hub-1" not in line({}, 1)


def test_what_ails_another_control_plane_is_told_unless_this_one_tells_it_too() -> None:
    planes = [
        {"name": "hub-1", "problem": "held back"},
        {"name": "hub-2", "problem": "held back"},
        {"name": "hub-3", "problem": ""},
        {"name": "hub-4", "problem": "the CA cannot sign"},
        # Of a release that does not say.
        {"name": "hub-5"},
    ]
    assert plane_lines({"control_planes": planes}) == ["control plane hub-4 tells a problem: the CA cannot sign"]
    assert plane_lines(None) == plane_lines({}) == []
