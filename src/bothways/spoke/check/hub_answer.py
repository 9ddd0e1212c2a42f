"""What the hub's answer to `/connectivity` says about us: let in or not, both flows, and earlier calls that failed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bothways.contract.document import Software
from bothways.findings import Finding, Level
from bothways.spoke.check.report import Area, Step
from bothways.spoke.client import Answer
from bothways.spoke.directory import Spoke
from bothways.spoke.new_contract import is_in_force, published

_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
_OPEN = "established"


def spoken(answer: Answer) -> Mapping[str, Any] | None:
    """Return the answer as the JSON object that a hub of ours gives, or None if it is another's."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return None
    ours = isinstance(document, dict) and {"customer", "environment", "inbound", "outbound"} <= document.keys()
    return document if answer.status == _OK and ours else None


def access_findings(answer: Answer, document: Mapping[str, Any] | None, spoke: Spoke) -> Iterator[Finding]:
    """Yield what the answer says of us as a caller."""
    where = spoke.contract.terms.endpoint
    if document is not None:
        seen = (str(document["customer"]), str(document["environment"]))
        wanted = (spoke.tsp_id, spoke.contract.terms.environment.value)
        if seen != wanted:
            message = (
                f"the hub takes us for {seen[0]} in {seen[1]}, and this is the spoke of {wanted[0]} in {wanted[1]}"
            )
            yield Finding("CHECK-ACCESS-04", message, "Install the certificate of this spoke.", "R4; R5", where)
    elif spoke.contract.terms.software is Software.OTHER:
        message = f"the hub takes our certificate, and answers {answer.status} at /connectivity, which is not its own"
        hint = "Nothing has to be done: look for the state of the flows where this hub shows it."
        yield Finding("CHECK-ACCESS-03", message, hint, "R2", where, Level.INFO)
    elif answer.status in {_UNAUTHORIZED, _FORBIDDEN}:
        message = (
            f"the hub knows the CA of our certificate, and refuses the call with {answer.status}: {_detail(answer)}"
        )
        hint = "Ask the hub's operator whether the certificate is revoked, or the customer suspended."
        yield Finding("CHECK-ACCESS-01", message, hint, "R4", where)
    elif answer.status in {_OK, _NOT_FOUND}:
        message = f"the hub let us in, and tells nothing at /connectivity ({answer.status})"
        hint = "Nothing has to be done: look for the state of the flows where this hub shows it."
        yield Finding("CHECK-ACCESS-03", message, hint, "R2", where, Level.INFO)
    else:
        message = f"the hub let us in, and answers {answer.status}: {_detail(answer)}"
        yield Finding("CHECK-ACCESS-02", message, "Try again; then ask the hub's operator.", "R2", where)


def contract_findings(document: Mapping[str, Any] | None, spoke: Spoke) -> Iterator[Finding]:
    """Yield that the hub publishes another contract than the spoke's, if it tells which one."""
    if (latest := published(document)) and not is_in_force(spoke, latest):
        message = f"the hub has a newer contract than this spoke: its SHA-256 is {latest}"
        hint = "See what it changes, with --dry-run; then take it in."
        yield Finding("CHECK-CONTRACT-01", message, hint, "R3; R12", str(spoke.contract_file), Level.WARNING)


def earlier_findings(document: Mapping[str, Any] | None, where: str) -> Iterator[Finding]:
    """Yield what the hub saw of our earlier calls, in its own words: they tell, and refuse nothing."""
    failures = document.get("failures") if document else None
    for each in failures if isinstance(failures, list) else ():
        failure = _mapping(each)
        found = _mapping(failure.get("finding"))
        if all(isinstance(found.get(key), str) for key in ("id", "message", "hint", "citation")):
            message = f"earlier, seen by the hub {failure.get('count', 1)} times: {found['message']}"
            yield Finding(found["id"], message, found["hint"], found["citation"], where, Level.INFO)


def flow_steps(document: Mapping[str, Any], where: str) -> Iterator[Step]:
    """Yield what the hub says of each flow, and what follows from it."""
    for area in (Area.INBOUND, Area.OUTBOUND):
        flow = _mapping(document[area.value])
        state, reason = str(flow.get("state")), str(flow.get("reason", "no reason is told"))
        finding = None if state == _OPEN else _flow_finding(area, state, reason, where)
        yield Step(area, "flow", f"{state}: {reason}", (finding,) if finding else ())


def _flow_finding(area: Area, state: str, reason: str, where: str) -> Finding:
    message = f"the hub calls the {area.value} flow {state}: {reason}"
    level = Level.WARNING if state == "at risk" else Level.ERROR
    if area is Area.INBOUND:
        return Finding("CHECK-FLOW-01", message, "Do what is missing there.", "R2", where, level)
    if state in {"at risk", "broken"}:
        return Finding("CHECK-FLOW-03", message, "Mend what the probe found.", "R2; R14", where, level)
    level = Level.ERROR if state == "suspended" else Level.WARNING
    hint = "Name your server to the hub, submit its CA chain, and have both endorsed, if the hub is to call you."
    return Finding("CHECK-FLOW-02", message, hint, "R2; R14", where, level)


def _detail(answer: Answer) -> str:
    try:
        detail = _mapping(json.loads(answer.body)).get("detail")
    except ValueError:
        detail = None
    text = str(detail) if detail else answer.body.decode(errors="replace")
    return " ".join(text.split())[:_SHOWN] or "nothing more"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


_SHOWN = 300
