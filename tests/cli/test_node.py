import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from bothways.operations.settings import Settings

Run = Callable[..., "CompletedProcess[str]"]
Document = Callable[..., Any]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that let remote nodes in, at every address of this machine."""
    return replace(settings, nodes_address="0.0.0.0", nodes_port=18000, nodes_connectivity_port=18001)  # noqa: S104


def places(clusters: list[dict[str, Any]]) -> list[list[tuple[str, int]]]:
    """Return where each cluster of a node leads."""
    found = []
    for cluster in clusters:
        endpoints = cluster["loadAssignment"]["endpoints"][0]["lbEndpoints"]
        addresses = [each["endpoint"]["address"]["socketAddress"] for each in endpoints]
        found.append([(each["address"], each["portValue"]) for each in addresses])
    return found


def test_a_node_is_bootstrapped_listed_renewed_and_withdrawn(
    document: Document, in_hub: Run, tmp_path: Path, settings: Settings
) -> None:
    out = tmp_path / "eu-1"
    made = document("hub", "envoy-bootstrap", "--node", "eu-1", "--out", out, "--control-plane", "cp.example:18000")
    assert made == {
        "node": "eu-1",
        "directory": str(out),
        "inbound": f"127.0.0.1 {settings.inbound_port}",
        "egress": f"127.0.0.1 {settings.egress_port}",
        "control_planes": ["cp.example:18000"],
        "connectivity": ["cp.example:18001"],
        "reached_at": None,
        "in_force": None,
    }
    clusters = json.loads((out / "envoy.json").read_text())["staticResources"]["clusters"]
    assert places(clusters) == [[("cp.example", 18000)]] * 2 + [[("cp.example", 18001)]]
    again = in_hub(
        *("hub", "envoy-bootstrap", "--node", "eu-1", "--out", out, "--control-plane", "[::1]:1", "--control-plane"),
        *(
            "cp.example:3",
            "--connectivity",
            "cp.example:2",
            "--inbound-address",
            "::1",
            "--inbound-port",
            "443",
            "--egress-port",
            "15002",
        ),
        *("--reached-at", "eu-1.hub.example:443"),
    )
    assert again.returncode == 0, again.stderr
    assert f"bothways node run --directory {out}" in again.stderr
    clusters = json.loads((out / "envoy.json").read_text())["staticResources"]["clusters"]
    assert places(clusters) == [[("::1", 1), ("cp.example", 3)]] * 2 + [[("cp.example", 2)]]
    [listed] = document("hub", "node", "list")
    assert (listed["state"], listed["inbound"], listed["egress"]) == ("current", "::1 443", "127.0.0.1 15002")
    assert (len(listed["certificates"]), listed["reached_at"]) == (2, "eu-1.hub.example:443")
    assert "::1 443" in in_hub("hub", "node", "list").stdout
    assert document("hub", "node", "withdraw", "eu-1", "--reason", "tested")["state"] == "withdrawn"
    assert document("hub", "node", "list")[0]["state"] == "withdrawn"
    assert document("hub", "node", "withdraw", "eu-1", "--reason", "tested", code=2)["error"] == "notfound"


def test_an_address_that_no_node_can_call_is_no_default(in_hub: Run, tmp_path: Path) -> None:
    done = in_hub("hub", "envoy-bootstrap", "--node", "eu-1", "--out", tmp_path)
    assert done.returncode == 2
    assert "Say it: --control-plane HOST:PORT" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "cp.example", ":1", "cp.example:", "cp.example:0", "cp.example:65536", "a b:1"])
def test_what_is_no_place_is_told(in_hub: Run, tmp_path: Path, text: str) -> None:
    done = in_hub("hub", "envoy-bootstrap", "--node", "eu-1", "--out", tmp_path, "--control-plane", text)
    assert (done.returncode, repr(text) in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []
