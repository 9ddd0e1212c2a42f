"""The Envoys of the hub as they are now: what each serves, what it refused, and what is held back for that."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from fastapi.responses import Response

from bothways.dataplane.envoy_state import state_of
from bothways.operations.fleet import stored_nodes
from bothways.operations.hub import Hub
from bothways.operations.nodes import list_nodes, withdraw_node
from bothways.operations.rollout import read_rollout, try_again
from bothways.operations.rotation import own_certificates
from bothways.registry.access import Action
from bothways.web.api.caller import Document, Running
from bothways.web.pages.customer import Done
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect

_SHOWN = 200
"""Nodes on one page; a fleet has fewer."""


def nodes_router(gate: Gate, view: View, running: Running) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/nodes")
    async def _nodes(visitor: who, done: Done = "") -> Response:
        hub = visitor.may(Action.HUB_READ)
        # The status belongs to the event loop; what is read from the database does not hold it up.
        told = running.status() if running.status else None
        return view.page("nodes.html", done=done, visitor=visitor, **await asyncio.to_thread(_page, hub, visitor, told))

    @router.post("/nodes/{node}/withdraw")
    async def _withdraw(form: sent, node: Annotated[str, Path(max_length=63)]) -> Response:
        await asyncio.to_thread(withdraw_node, form.visitor.may(Action.HUB_WRITE), node, form.why())
        await form.visitor.apply()
        return redirect("/nodes?done=withdrawn")

    @router.post("/nodes/retry")
    async def _retry(form: sent) -> Response:
        await asyncio.to_thread(try_again, form.visitor.may(Action.HUB_WRITE), form.why())
        await form.visitor.apply()
        return redirect("/nodes?done=retried")

    return router


def _page(hub: Hub, visitor: Visitor, told: Document | None) -> dict[str, Any]:
    connected = told["nodes"] if told else stored_nodes(hub)
    certificates, held = own_certificates(hub), read_rollout(hub).held
    return {
        "place": "nodes",
        "running": told is not None,
        "several": told is not None and len(told["control_planes"]) > 1,
        # What is held back has a place of its own.
        "problem": told["problem"].replace(str(held or ""), "").strip("; ") if told else "",
        "held": held,
        "version": told["version"] if told else "",
        "push": told["last_push_milliseconds"] if told else None,
        "nodes": [_shown(each) for each in connected[:_SHOWN]],
        "on_record": [each for each in list_nodes(hub) if each["state"] == "current"][:_SHOWN],
        "envoy": _moments(state_of(hub.run_directory)),
        "certificates": {name: _moments(each) for name, each in certificates.items()},
        "may_write": visitor.can(Action.HUB_WRITE),
    }


def _shown(node: Document) -> dict[str, Any]:
    """Return a node with its colour: behind or away is told apart from refusing, which somebody has to look at."""
    if not node["connected"]:
        state = "away"
    elif node["refused"]:
        state = "refusing"
    else:
        state = "current" if node["settled"] else "behind"
    canary = node["canary"] and _moments(node["canary"])
    return _moments(node) | {"state": state, "canary": canary, "lag": round(node["lag_seconds"] or 0)}


def _moments(document: Document) -> dict[str, Any]:
    """Return a document with its moments parsed, as pages show them."""
    names = ("at", "since", "answered_at", "started_at", "not_after", "renewal_at")
    return document | {
        name: datetime.fromisoformat(document[name]) for name in names if isinstance(document.get(name), str)
    }
