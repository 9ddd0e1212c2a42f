"""The way from the hub: our own server as it is seen from here, and as the hub's probe sees it, which is asked for."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from bothways.contract.document import Software
from bothways.errors import BothwaysError
from bothways.findings import Finding, Level
from bothways.spoke import client as clients
from bothways.spoke.check.own_server import OwnServer, look_at_own_server
from bothways.spoke.check.report import Area, Say, Step
from bothways.spoke.check.through_envoy import Envoy
from bothways.spoke.directory import Spoke
from bothways.spoke.resolver import Question

PATH = "/connectivity/probe"
"""Where the hub is asked for a probe (POST), and tells what it knows of our server (GET)."""

PATIENCE = 45.0
"""Seconds that a probe of the hub is waited for: its call through Envoy alone may take 20."""

_POLL = 0.2
_HTTPS = 443


@dataclass(frozen=True, slots=True)
class Told:
    """What the hub tells of our server: its base URL, the chains that it endorsed, the last probe, and if one runs."""

    endpoint: str = ""
    chains: tuple[str, ...] = ()
    probe: Mapping[str, Any] | None = None
    running: bool = False
    problem: str = ""


def told_by(body: bytes) -> Told | None:
    """Return what the hub told, or None if this is not what a hub of ours says."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict) or not {"running", "endpoint", "chains", "probe"} <= document.keys():
        return None
    chains, probe = document["chains"], document["probe"]
    return Told(
        str(document["endpoint"] or ""),
        tuple(each for each in chains if isinstance(each, str)) if isinstance(chains, list) else (),
        probe if isinstance(probe, dict) else None,
        document["running"] is True,
        str(document.get("problem") or ""),
    )


async def look_at_outbound(
    spoke: Spoke, server: str, question: Question, now: datetime, say: Say, envoy: Envoy | None, *, let_in: bool
) -> Told:
    """Look at our server from here while the hub probes it, and say both; `server` is HOST or HOST:PORT, or empty.

    An `envoy` looks as well. Without `let_in`, the hub is not asked. Returns what the hub told last.
    """
    ours = spoke.contract.terms.software is Software.BOTHWAYS
    told = await asyncio.to_thread(_ask, spoke, question) if let_in and ours else None
    known = told or Told()
    own = own_server(server or known.endpoint, known.chains)
    if told is None:
        why = (
            "this hub makes no probes on request"
            if let_in or not ours
            else "not asked, for no answer of the hub came from /connectivity"
        )
        say(Step(Area.OUTBOUND, "hub's probe", why, made=False))
    elif not (known.endpoint and known.chains):
        named = known.endpoint or "none is named at the hub"
        say(Step(Area.OUTBOUND, "server", named, tuple(_unnamed(known, spoke)), made=bool(known.endpoint)))
    if own is None:
        return known
    waiting = asyncio.create_task(_finished(spoke, known, question)) if told else None
    await look_at_own_server(spoke, own, question, now, say, envoy)
    if waiting is None:
        return known
    known = await waiting
    if known.probe or known.problem or known.running:
        say(probe_step(known, own.address))
    return known


def own_server(text: str, chains: tuple[str, ...]) -> OwnServer | None:
    """Return our server out of its base URL or HOST[:PORT], or None if there is none."""
    parts = urlsplit(text if "//" in text else f"//{text}")
    if not parts.hostname:
        return None
    return OwnServer(parts.hostname, parts.port or _HTTPS, f"{parts.path.rstrip('/')}/", chains)


def probe_step(told: Told, where: str) -> Step:
    """Return what the hub's probe saw, in the hub's words."""
    findings = []
    if told.problem or told.running:
        message = told.problem or f"the hub's probe took longer than {PATIENCE:.0f} s"
        hint = "Check again later; if it stays so, tell the hub's operator."
        findings.append(Finding("CHECK-SERVER-07", message, hint, "R2", where, Level.WARNING))
    probe = told.probe or {}
    listed = probe.get("findings")
    findings += [made for each in (listed if isinstance(listed, list) else ()) if (made := _finding(each))]
    seen = f"{'ok' if probe.get('ok') is True else 'failed'} at {probe.get('at')}: {probe.get('seen')}"
    return Step(Area.OUTBOUND, "hub's probe", seen if probe else "none was made", tuple(findings), made=bool(probe))


def _finding(document: object) -> Finding | None:
    keys = ("id", "message", "hint", "citation", "subject", "level")
    if not isinstance(document, dict) or not all(isinstance(document.get(key), str) for key in keys):
        return None
    said = {key: document[key] for key in keys}
    level = next((each for each in Level if each.value == said["level"]), Level.WARNING)
    return Finding(**said | {"level": level})


def _unnamed(told: Told, spoke: Spoke) -> Iterator[Finding]:
    where = spoke.contract.terms.endpoint
    if not told.endpoint:
        message = "the hub knows no server of yours, so it cannot call you"
        hint = "Name your server's base URL to the hub, if it is to call you; nothing has to be done if it is not."
        yield Finding("CHECK-SERVER-01", message, hint, "R11", where, Level.WARNING)
    elif not told.chains:
        message = f"the hub has endorsed no CA for {told.endpoint}, so it believes no server there"
        hint = "Submit the CA chain of your server, and have it endorsed."
        yield Finding("CHECK-SERVER-02", message, hint, "R14", where, Level.WARNING)


def _ask(spoke: Spoke, question: Question) -> Told | None:
    """Ask for a probe. Where none can be made, or the last one is fresh, what is known is told all the same."""
    with clients.open_client(spoke, question.ask) as client:
        try:
            answer = clients.call(client, "POST", PATH)
            return told_by(answer.body) or told_by(clients.call(client, "GET", PATH).body)
        except BothwaysError:
            return None


async def _finished(spoke: Spoke, told: Told, question: Question) -> Told:
    """Return what the hub tells when its probe is over, or what it told last if that takes too long."""
    end = time.monotonic() + PATIENCE
    with clients.open_client(spoke, question.ask) as client:
        while told.running and time.monotonic() < end:
            await asyncio.sleep(_POLL)
            try:
                answer = await asyncio.to_thread(clients.call, client, "GET", PATH)
            except BothwaysError:
                break
            told = told_by(answer.body) or told
    return told
