"""How commands open a hub, and how they tell a running one that something changed."""

import gc
import os
import pwd
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from bothways.cli.exit import FAILED, OK
from bothways.cli.output import result, tell
from bothways.dataplane.local import over_socket
from bothways.errors import BothwaysError, Unusable
from bothways.operations.audit_head import sign_head
from bothways.operations.hub import Hub, open_hub

_TIMEOUT = 15.0


def actor() -> str:
    """Return who acts, as the audit names them: the name of the process's user, and never what the environment says."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"


@contextmanager
def hub_in(directory: Path) -> Iterator[Hub]:
    """Open the hub in a directory, in the name of the person at the command line."""
    with open_hub(directory, actor(), f"cli-{secrets.token_hex(8)}") as hub:
        # What was imported stays. The garbage collector would look at all of it again and again, at 30 ms a time.
        gc.freeze()
        try:
            yield hub
        finally:
            # What this command wrote is under a signed head, whether the hub runs or not, and whatever came of it.
            with suppress(BothwaysError):
                sign_head(hub)


def control(hub: Hub, method: str, path: str) -> dict[str, Any] | None:
    """Ask the running hub; return the JSON object that it answers, or None if it does not run.

    Raises `Unusable` if it runs, but does not answer well.
    """
    answer = _asked(hub, method, path)
    if answer is None:
        return None
    try:
        document: dict[str, Any] = answer.json()
    except ValueError as error:
        raise _ails(hub, method, path, error) from error
    return document


def control_text(hub: Hub, path: str) -> str | None:
    """Ask the running hub for a text; return None if it does not run. Raises `Unusable` as `control` does."""
    answer = _asked(hub, "GET", path)
    return None if answer is None else answer.text


def _asked(hub: Hub, method: str, path: str) -> httpx2.Response | None:
    # The HTTP client leaves its socket open where nobody listens, so that is tried first.
    with socket.socket(socket.AF_UNIX) as knock:
        try:
            knock.connect(str(hub.control_socket))
        except OSError:
            return None
    transport = over_socket(hub.control_socket)
    try:
        with httpx2.Client(transport=transport, timeout=_TIMEOUT) as client:
            answer = client.request(method, f"http://hub{path}", headers={"X-Request-Id": hub.request_id})
            answer.raise_for_status()
            return answer
    except httpx2.HTTPError as error:
        raise _ails(hub, method, path, error) from error


def _ails(hub: Hub, method: str, path: str, error: Exception) -> Unusable:
    return Unusable(
        f"the hub runs, but did not answer {method} {path} at {hub.control_socket} "
        f"({str(error) or type(error).__name__}). Look at what it said on its standard error, and at "
        f"{hub.run_directory / 'envoy.log'}; if it hangs, start it again."
    )


def apply(hub: Hub) -> bool | None:
    """Bring what was just stored into force, and say on stderr whether it is.

    Returns True if every connected Envoy has it, False if one does not, None if the hub does not run.
    """
    return _applied(hub)[0]


def conclude(hub: Hub, document: dict[str, Any], text: str, *, as_json: bool) -> int:
    """Bring what was just stored into force, print the result, and return the exit code.

    The document says `in_force`: true, false, or null if the hub does not run; and `away`, if there are any: the
    remote nodes that are not connected, and go on with what they have. What a running hub did not bring into force has
    failed: whoever revoked a certificate must not believe that it is refused.
    """
    in_force, away = _applied(hub)
    told = {"in_force": in_force} | ({"away": away} if away else {})
    result(document | told, text, as_json=as_json)
    return FAILED if in_force is False else OK


def _applied(hub: Hub) -> tuple[bool | None, list[str]]:
    try:
        applied = control(hub, "POST", "/apply")
    except Unusable as error:
        tell(f"Recorded, but perhaps not in force: {error}")
        return False, []
    if applied is None:
        if others := _others(hub):
            tell(f"Recorded. No control plane runs here; it is brought into force by {' and '.join(others)}.")
        else:
            tell(f"Recorded. It comes into force when the hub runs: bothways hub run --directory {hub.directory}")
        return None, []
    # A hub that was started before this command was installed may not say.
    away = [str(each) for each in applied.get("away", ())]
    if away:
        tell_away(away)
    if applied["in_force"]:
        tell(f"Recorded, and in force at every {'connected ' if away else ''}Envoy after {applied['milliseconds']} ms.")
        return True, away
    tell(f"Recorded, but not in force everywhere yet. Look at: bothways hub status --directory {hub.directory}")
    return False, away


def _others(hub: Hub) -> tuple[str, ...]:
    """Return the other control planes that work on the database; none if nobody can tell."""
    if not hub.database.shared:
        return ()
    from bothways.operations.fleet import planes_at_work  # noqa: PLC0415 - what only this needs, and seldom

    try:
        return planes_at_work(hub)
    except Unusable:
        return ()


def tell_away(nodes: Sequence[str]) -> None:
    """Say which nodes do not have what was changed."""
    tell(f"NOT at the nodes that are away, which go on with what they have: {', '.join(nodes)}.")
