from dataclasses import replace
from pathlib import Path

from tests.web.api.conftest import Api
from tests.web.conftest import Ask, applied

from bothways.contract.render import render_contract
from bothways.operations.bootstrap import bootstrap_node
from bothways.operations.hub import Hub, contract
from bothways.operations.rollout import hold_back
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.store import closures
from bothways.web.portal import portal_app
from bothways.xds.staging import HeldBack
from bothways.xds.state import Address


def test_the_status_says_how_the_hub_fares(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied, lambda: {"problem": "", "nodes": []}, lambda told: f"nodes {told['nodes']}".encode())
    headers = {"Authorization": f"Bearer {create_token(hub, 'watch', Role.AUDITOR)[1]}"}
    status = ask(app, "GET", "/api/v1/hub/status", headers).json()
    assert (status["environment"], status["running"]) == ("PPR", {"problem": "", "nodes": []})
    assert {"certificates", "expiring", "notices", "failed_calls", "revocation_lists", "envoy"} <= set(status)
    metrics = ask(app, "GET", "/api/v1/hub/metrics", headers)
    assert (metrics.text, metrics.headers["content-type"]) == (
        "nodes []",
        "text/plain; version=0.0.4; charset=utf-8",
    )


def test_where_no_hub_runs_there_are_no_metrics(api: Api) -> None:
    assert api("GET", "/hub/status")["running"] is None
    api("GET", "/hub/metrics", None, 503)


def test_the_contract_is_the_one_that_is_published(hub: Hub, api: Api, issuer: str) -> None:
    assert issuer
    assert api("GET", "/hub/contract", role=Role.CUSTOMER_MEMBER)["contract"] == render_contract(contract(hub))


def test_an_endpoint_that_was_shut_is_opened_again(hub: Hub, api: Api) -> None:
    api("POST", "/hub/reopen", None, 409)
    with hub.write() as transaction:
        closures.add(transaction, "a stranger was let in")
    assert api("POST", "/hub/reopen")["reason"] == "a stranger was let in"


def test_what_is_held_back_is_tried_again(hub: Hub, api: Api) -> None:
    api("POST", "/hub/retry", None, 409)
    hold_back(hub, HeldBack("v2", "eu-1", "and refused it: no room", "d"))
    assert api("POST", "/hub/retry")["why"] == "and refused it: no room"


def test_authorities_are_added_and_retired(api: Api) -> None:
    added = api("POST", "/authorities", {"role": "issuing"}, 201)
    assert "issuing G2" in added["subject"]
    assert {each["role"] for each in api("GET", "/authorities")["items"]} == {"issuing", "client", "server", "node"}
    api("POST", f"/authorities/{added['id']}/retire", {"reason": "tested"}, 409)
    assert api("POST", "/authorities/1/retire", {"reason": "tested"})["state"] == "retired"


def test_nodes_are_listed_and_withdrawn(hub: Hub, tmp_path: Path, ask: Ask) -> None:
    nodes_hub = replace(hub, settings=replace(hub.settings, nodes_port=18000, nodes_connectivity_port=18001))
    place = Address("127.0.0.1", 18000)
    bootstrap_node(nodes_hub, "eu-1", tmp_path / "eu-1", [place], [place])
    app = portal_app(nodes_hub, applied)
    headers = {"Authorization": f"Bearer {create_token(nodes_hub, 'ops', Role.OPERATOR)[1]}"}
    assert ask(app, "POST", "/api/v1/nodes/eu-1/withdraw", headers, {"reason": "tested"}).json()["state"] == "withdrawn"
    [node] = ask(app, "GET", "/api/v1/nodes", headers).json()["items"]
    assert (node["node"], node["state"]) == ("eu-1", "withdrawn")
    assert ask(app, "POST", "/api/v1/nodes/eu-1/withdraw", headers, {"reason": "tested"}).status_code == 404
