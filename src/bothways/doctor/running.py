"""What runs: the hub, the Envoy beside it, nodes elsewhere, and what each of them says ails it."""

from collections.abc import Iterator
from typing import Any

from bothways.doctor.report import Area
from bothways.findings import Finding, Level, Step
from bothways.operations.closure import current_closure
from bothways.operations.hub import Hub

_CITED = "R4"


def running_steps(hub: Hub, standing: dict[str, Any]) -> Iterator[Step]:
    """Yield what the hub says of itself: `standing` is what `hub status` shows (`dataplane/standing.py`)."""
    running = standing["running"]
    yield _hub(hub, running)
    yield _beside(standing["envoy"])
    for node in standing["nodes"]:
        yield _node(node)
    yield _notices(standing["notices"])


def _hub(hub: Hub, running: dict[str, Any] | None) -> Step:
    found = []
    if closure := current_closure(hub):
        hint = "Mend what let a stranger in, then: bothways hub reopen. Until then no customer gets through."
        message = f"the endpoint is shut since {closure.at:%Y-%m-%d %H:%M} UTC: {closure.reason}"
        found.append(Finding("DOCTOR-SHUT-01", message, hint, "R1"))
    if running is None:
        hint = f"Start it: bothways hub run --directory {hub.directory}"
        found.append(Finding("DOCTOR-HUB-01", "the hub does not run", hint, _CITED))
        return Step(Area.RUNNING, "hub", "does not run", tuple(found))
    if held := running.get("held_back"):
        message = f"version {held['version']} is held back: node {held['node']} was given it first, {held['why']}"
        hint = (
            "Mend what it names; if that is in no setting, have it tried again: bothways hub retry. All other nodes "
            "stay with what they had, without what was taken away since."
        )
        found.append(Finding("DOCTOR-NODE-05", message, hint, _CITED, held["node"]))
    if running["problem"]:
        hint = "Mend what it says; what is stored is not in force until then."
        found.append(Finding("DOCTOR-HUB-02", f"the hub tells a problem: {running['problem']}", hint, _CITED))
    return Step(Area.RUNNING, "hub", f"runs, {len(running['nodes'])} Envoys on record", tuple(found))


def _beside(envoy: dict[str, Any]) -> Step:
    if envoy["pid"] is None:
        message = "no Envoy runs on this machine"
        hint = "Start the hub, or bothways hub envoy where envoy.lifetime is service. Remote nodes serve without it."
        found = [Finding("DOCTOR-ENVOY-02", message, hint, _CITED, level=Level.WARNING)]
        return Step(Area.RUNNING, "Envoy", "does not run", tuple(found))
    found = []
    if envoy["restarts"]:
        message = f"Envoy ended by itself {envoy['restarts']} times since it was first started"
        hint = "Look at run/supervisor.log and run/envoy.log for why; an Envoy that ends loses its open connections."
        found.append(Finding("DOCTOR-ENVOY-03", message, hint, _CITED, level=Level.WARNING))
    if envoy["snapshot"]:
        message = f"Envoy serves the snapshot of {envoy['snapshot']['saved_at'][:19]}Z, for the hub does not answer"
        hint = "Start the hub: what was revoked or granted since then is not in force."
        found.append(Finding("DOCTOR-ENVOY-04", message, hint, _CITED))
    return Step(Area.RUNNING, "Envoy", f"process {envoy['pid']}, configured by {envoy['source']}", tuple(found))


def _node(node: dict[str, Any]) -> Step:
    name, found = f"node {node['node']}", []
    if not node["connected"]:
        message = f"{name} is not connected; if it runs, it serves what it had, revoked certificates included"
        hint = (
            "Start it, or withdraw it: bothways hub node withdraw NAME. If it is beside a control plane that is gone, "
            "start that one again, or see first that its Envoy has ended."
        )
        found.append(Finding("DOCTOR-NODE-01", message, hint, _CITED, node["node"]))
        return Step(Area.RUNNING, name, "not connected", tuple(found))
    for kind, said in node["refused"].items():
        hint = "It goes on with what it had of this kind. Mend what Envoy names, and look again."
        found.append(Finding("DOCTOR-NODE-02", f"{name} refuses {kind}: {said}", hint, _CITED, node["node"]))
    if (canary := node["canary"]) and canary["outcome"] == "unreachable":
        message = f"nobody looks whether {name} refuses strangers: {canary['address']} is not reached, {canary['said']}"
        hint = "Say where it is reached: bothways hub envoy-bootstrap --node NAME --reached-at HOST:PORT."
        found.append(Finding("DOCTOR-NODE-04", message, hint, "R1", node["node"], Level.WARNING))
    if not node["settled"] and not node["refused"]:
        behind = f", and {node['lag_seconds']:.0f} s behind" if node["lag_seconds"] else ""
        message = (
            f"{name} has not confirmed all that is published; it is at version {node['version'] or 'none'}{behind}"
        )
        hint = "Look again in some seconds; if it stays so, look at the node's own log."
        found.append(Finding("DOCTOR-NODE-03", message, hint, _CITED, node["node"], Level.WARNING))
    return Step(Area.RUNNING, name, "up to date" if node["settled"] else "not up to date", tuple(found))


def _notices(notices: dict[str, Any]) -> Step:
    found = [
        Finding(
            "DOCTOR-NOTICE-01",
            f"a notice to {each['contact']} was not delivered in {each['attempts']} attempts: {each['error']}",
            "Mend the contact or the mail server; whoever is not told finds out when it has ended.",
            _CITED,
            each["contact"],
            Level.WARNING,
        )
        for each in notices["failing"]
    ]
    return Step(Area.RUNNING, "notices", f"{notices['waiting']} wait", tuple(found))
