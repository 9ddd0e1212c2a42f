"""The page of nodes says of each what it serves, what it refused, and who is away; an operator withdraws one."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.audit import export_audit
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub
from bothways.operations.nodes import list_nodes
from bothways.operations.rollout import hold_back, read_rollout
from bothways.operations.standing import unknown
from bothways.registry.access import Role
from bothways.web.portal import portal_app
from bothways.xds.staging import HeldBack
from bothways.xds.state import Address

SINCE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC).isoformat()


def node(name: str, **more: Any) -> dict[str, Any]:
    """Say of a node what a running hub says of one that is up to date."""
    plain = {"connected": True, "peer": "192.0.2.7:9", "since": SINCE, "version": "8f2c", "control_plane": "hub-1:8444"}
    return unknown(name) | plain | {"answered_at": SINCE, "settled": True, "lag_seconds": 0.0} | more


def status() -> dict[str, Any]:
    refused = {"type.googleapis.com/envoy.config.listener.v3.Listener": "the address is in use"}
    found = [
        node("own", canary=canary("refused")),
        node("paris", settled=False, version="11aa", lag_seconds=4.2, canary=canary("unreachable")),
        node("rome", settled=False, refused=refused),
        node(
            "oslo", connected=False, control_plane="", since=None, peer="", version="", answered_at=None, settled=False
        ),
    ]
    planes = [{"name": "hub-1:8444", "seen_at": SINCE}, {"name": "hub-2:8444", "seen_at": SINCE}]
    problem = "the endpoint is shut, for a stranger was let in: eu-1. Find out what answered."
    told = {"version": "8f2c", "problem": problem, "last_push_milliseconds": 12.34}
    return told | {"nodes": found, "control_plane": "hub-1:8444", "control_planes": planes}


def canary(outcome: str) -> dict[str, str]:
    return {"outcome": outcome, "address": "192.0.2.7:443", "said": "Connection refused", "at": SINCE}


def test_each_node_has_its_state_and_a_refusal_its_reason(hub: Hub, visit: Visit) -> None:
    auditor = visit(Role.AUDITOR, app=portal_app(hub, applied, status))
    said = " ".join(auditor.said(auditor.get("/nodes")).split())
    for each in (
        "own 192.0.2.7:9 at hub-1:8444 up to date 2026-01-02 03:04 UTC 8f2c 2026-01-02 03:04 UTC refused",
        "paris 192.0.2.7:9 at hub-1:8444 behind 4 s",
        "11aa",
        "not reached 192.0.2.7:443: Connection refused",
    ):
        assert each in said
    assert re.search(r"oslo not connected( \W){3} not looked at", said)
    assert "goes on with what it had: the address is in use" in said
    assert "The endpoint is shut, for a stranger was let in: eu-1." in said
    assert "after 12.3 ms" in said


def test_where_no_hub_runs_the_page_says_so(operator: Visitor) -> None:
    assert "does not run" in operator.get("/nodes").text


def test_a_node_with_its_certificate_is_withdrawn_by_who_may(
    hub: Hub, visit: Visit, operator: Visitor, tmp_path: Path
) -> None:
    letting_in = replace(hub, settings=replace(hub.settings, nodes_port=18000, nodes_connectivity_port=18001))
    places = ([Address("127.0.0.1", 18000)], [Address("127.0.0.1", 18001)])
    bootstrap_node(letting_in, "paris", tmp_path / "paris", *places)
    [certificate] = list_nodes(hub)[0]["certificates"]
    page = " ".join(operator.said(operator.get("/nodes")).split())
    assert "paris" in page
    assert f"of CA {certificate['authority']} until {certificate['not_after'][:10]}" in page
    assert visit(Role.AUDITOR).post("/nodes/paris/withdraw").status_code == 403
    assert operator.post("/nodes/paris/withdraw", reason="tested").headers["location"] == "/nodes?done=withdrawn"
    assert [each["state"] for each in list_nodes(hub)] == ["withdrawn"]
    assert operator.post("/nodes/rome/withdraw", reason="tested").status_code == 404


def test_what_is_held_back_is_tried_again_by_who_may_and_says_why(hub: Hub, visit: Visit, operator: Visitor) -> None:
    assert operator.post("/nodes/retry", reason="tested").status_code == 409
    hold_back(hub, HeldBack("v2", "paris", "and refused it: no room", "d"))
    auditor = visit(Role.AUDITOR)
    assert "/nodes/retry" not in auditor.get("/nodes").text
    assert "and refused it: no room" in auditor.said(auditor.get("/nodes"))
    assert auditor.post("/nodes/retry", reason="tested").status_code == 403
    assert "/nodes/retry" in operator.get("/nodes").text
    assert operator.post("/nodes/retry").status_code == 422
    assert operator.post("/nodes/retry", csrf="another", reason="tested").status_code == 403
    assert read_rollout(hub).held
    answer = operator.post("/nodes/retry", reason="its disk was full")
    assert answer.headers["location"] == "/nodes?done=retried"
    assert read_rollout(hub).held is None
    assert "/nodes/retry" not in operator.get("/nodes").text
    line = next(each for each in export_audit(hub) if each["action"] == "hub.retry")
    assert (line["actor"], line["detail"]["reason"]) == ("operator@hub.example", "its disk was full")


def test_customers_have_nothing_to_do_with_nodes(bank: Visitor) -> None:
    assert bank.get("/nodes").status_code == 403
