"""What `bothways hub status` says of each node, in a line."""

from typing import Any

_SECONDS = 60


def node_lines(status: dict[str, Any]) -> list[str]:
    """Return a line for each node of the status."""
    running = status["running"]
    several = running is not None and len(running.get("control_planes", ())) > 1
    return [f"node {each['node']}: {_said(each, several=several)}" for each in status["nodes"]]


def plane_lines(running: dict[str, Any] | None) -> list[str]:
    """Return a line for each other control plane that tells a problem which this one does not."""
    own, *others = (running or {}).get("control_planes") or [{}]
    ails = [each for each in others if each.get("problem", "") not in {"", own.get("problem")}]
    return [f"control plane {each['name']} tells a problem: {each['problem']}" for each in ails]


def _said(node: dict[str, Any], *, several: bool) -> str:
    authority = f", certificate of CA {node['authority']}" if node["authority"] else ""
    confirmed = f", confirmed last {node['answered_at'][:19]}" if node["answered_at"] else ""
    if not node["connected"]:
        since = f"since {node['since'][:19]}" if node["since"] else "since this hub was started"
        had = f"; it had version {node['version']}{confirmed}" if node["version"] else ""
        return f"not connected {since}{had}; if it runs, it goes on with what it has{authority}{_canary(node)}"
    plane = f" to {node['control_plane']}" if several else ""
    state = "up to date" if node["settled"] else f"at version {node['version'] or 'none'}, {_behind(node)}"
    loaded = f", {node['customers']:,} servers of customers loaded" if node["customers"] else ""
    refused = "".join(f"; refused: {each}" for each in node["refused"].values())
    return f"connected{plane} since {node['since'][:19]}, {state}{confirmed}{authority}{loaded}{_canary(node)}{refused}"


def _behind(node: dict[str, Any]) -> str:
    seconds = int(node["lag_seconds"] or 0)
    return f"{seconds} s behind" if seconds < _SECONDS else f"{seconds // _SECONDS} min behind"


def _canary(node: dict[str, Any]) -> str:
    found = node["canary"]
    if found is None:
        return ""
    said = {
        "refused": "strangers are refused",
        "shut": "nobody is let in",
        "answered": f"A STRANGER WAS LET IN at {found['address']}",
    }.get(found["outcome"], f"the canary does not reach {found['address']} ({found['said']})")
    return f"; {said} ({found['at'][11:19]})"
