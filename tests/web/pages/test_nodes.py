"""The page of nodes says of each what it serves, what it refused, and who is away; an operator withdraws one."""

from datetime import UTC, datetime
from typing import Any

from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.hub import Hub
from bothways.operations.nodes import default_binding, list_nodes
from bothways.registry.access import Role
from bothways.store import nodes
from bothways.web.portal import portal_app

SINCE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC).isoformat()


def node(name: str, **more: Any) -> dict[str, Any]:
    """Say of a node what a running hub says of one that is up to date."""
    plain = {"node": name, "connected": True, "peer": "192.0.2.7:9", "since": SINCE, "version": "8f2c", "refused": {}}
    return plain | {"answered_at": SINCE, "settled": True} | more


def status() -> dict[str, Any]:
    refused = {"type.googleapis.com/envoy.config.listener.v3.Listener": "the address is in use"}
    found = [
        node("own"),
        node("paris", settled=False, version="11aa"),
        node("rome", settled=False, refused=refused),
        node("oslo", connected=False, since=None, peer="", version="", answered_at=None, settled=False),
    ]
    return {"version": "8f2c", "problem": "the canary got in", "nodes": found, "last_push_milliseconds": 12.34}


def test_each_node_has_its_state_and_a_refusal_its_reason(hub: Hub, visit: Visit) -> None:
    auditor = visit(Role.AUDITOR, app=portal_app(hub, applied, status))
    said = " ".join(auditor.said(auditor.get("/nodes")).split())
    for each in ("own 192.0.2.7:9 up to date 2026-01-02 03:04 UTC 8f2c", "paris 192.0.2.7:9 behind", "11aa"):
        assert each in said
    assert "oslo not connected the hub's start" in said
    assert "goes on with what it had: the address is in use" in said
    assert "The canary got in." in said
    assert "after 12.3 ms" in said


def test_where_no_hub_runs_the_page_says_so(operator: Visitor) -> None:
    assert "does not run" in operator.get("/nodes").text


def test_a_node_is_withdrawn_by_who_may(hub: Hub, visit: Visit, operator: Visitor) -> None:
    with hub.write() as transaction:
        nodes.add(transaction, "paris", default_binding(hub))
    assert "paris" in operator.get("/nodes").text
    assert visit(Role.AUDITOR).post("/nodes/paris/withdraw").status_code == 403
    assert operator.post("/nodes/paris/withdraw", reason="tested").headers["location"] == "/nodes?done=withdrawn"
    assert [each["state"] for each in list_nodes(hub)] == ["withdrawn"]
    assert operator.post("/nodes/rome/withdraw", reason="tested").status_code == 404


def test_customers_have_nothing_to_do_with_nodes(bank: Visitor) -> None:
    assert bank.get("/nodes").status_code == 403
