"""How commands open a hub, and how they tell a running one that something changed."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from bothways.cli.output import tell
from bothways.operations.hub import Hub, open_hub

_TIMEOUT = 15.0


def actor() -> str:
    """Return who acts, as the audit names them: the login name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def hub_in(directory: Path) -> Iterator[Hub]:
    """Open the hub in a directory, in the name of the person at the command line."""
    with open_hub(directory, actor()) as hub:
        yield hub


def control(hub: Hub, method: str, path: str) -> dict[str, Any] | None:
    """Ask the running hub; return None if it does not run."""
    # The HTTP client leaves its socket open where nobody listens, so that is tried first.
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(hub.control_socket))
        except OSError:
            return None
    transport = httpx2.HTTPTransport(uds=str(hub.control_socket))
    try:
        with httpx2.Client(transport=transport, timeout=_TIMEOUT) as client:
            answer = client.request(method, f"http://hub{path}")
            answer.raise_for_status()
    except httpx2.HTTPError:
        return None
    document: dict[str, Any] = answer.json()
    return document


def apply(hub: Hub) -> dict[str, Any] | None:
    """Bring what was just stored into force, and say on stderr whether it is; return what the hub answered."""
    applied = control(hub, "POST", "/apply")
    if applied is None:
        tell(f"Recorded. It comes into force when the hub runs: bothways hub run --directory {hub.directory}")
    elif applied["in_force"]:
        tell(f"Recorded, and in force at every Envoy after {applied['milliseconds']} ms.")
    else:
        tell(f"Recorded, but not in force everywhere yet. Look at: bothways hub status --directory {hub.directory}")
    return applied
