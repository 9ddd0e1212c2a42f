"""`bothways spoke renew`: once, by a timer, or as a daemon; with a command after each installation; and put back."""

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from bothways import files
from bothways.cli.ending import told_to_end
from bothways.cli.exit import EXPIRING, FAILED, OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.cli.spoke import Directory
from bothways.cli.spoke_key import wanted_key
from bothways.errors import BothwaysError
from bothways.spoke.directory import Spoke, alone, open_spoke, stands
from bothways.spoke.new_contract import newer
from bothways.spoke.pair import put_back
from bothways.spoke.renew import Outcome, Renewal, certificate_in_use, wait_seconds
from bothways.spoke.renew import renew as renew_once
from bothways.spoke.units import renewal_units, unit_commands

_HOOK_SECONDS = 300
_PAUSE, _PAUSE_MOST = 60.0, 3600.0
_MARKER = "hook-waits"


def renew(
    *,
    force: Annotated[bool, Parameter(negative="", help="Renew now, also if nothing is due.")] = False,
    by_hand: Annotated[
        bool, Parameter(negative="", help="Write the request into renewal/, for delivery by hand, and ask nobody.")
    ] = False,
    key: Annotated[
        str,
        Parameter(
            help="Another kind for the new key than the present one has: ecdsa or rsa. Or the next key in an HSM, by "
            "its PKCS#11 URI: it is used, or made there. By default, a key in a token is followed by a new one in it."
        ),
    ] = "",
    hook: Annotated[
        str, Parameter(help="A command to run after an installation, for example 'systemctl reload nginx'.")
    ] = "",
    daemon: Annotated[
        bool, Parameter(negative="", help="Stay, and renew whenever it is due, until the end of this process.")
    ] = False,
    undo: Annotated[
        bool, Parameter(negative="", help="Put the pair before in use again, and do nothing else.")
    ] = False,
    systemd: Annotated[
        bool, Parameter(negative="", help="Print a systemd service and timer for this directory, and do nothing.")
    ] = False,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Renew the certificate if it is due: at two thirds of its life. Nothing due exits with 0.

    The request has a new key and the same subject, and goes to the hub over mutual TLS (EST). A hub that reviews
    answers later: run the same again, or let a timer do it. The pair in use stays until the new certificate is
    installed, and is kept then: --undo puts it back. Where a hub does not speak EST, the request is written for
    delivery by hand, and the command exits with 5.

    The command of --hook finds the directory in BOTHWAYS_DIRECTORY. If it fails, it is run again the next time.
    """
    spoke = open_spoke(directory)
    if systemd:
        program = shutil.which("bothways") or str(Path(sys.argv[0]).absolute())
        units = renewal_units(directory, program, hook)
        text = unit_commands(units)
        result({"units": units, "commands": text}, text, as_json=json)
        return OK
    if undo:
        return _put_back(spoke, hook, as_json=json)
    if daemon:
        return _stay(directory, hook, as_json=json)
    kind, token = wanted_key(key, None)
    done = renew_once(spoke, datetime.now(UTC), force=force, by_hand=by_hand, key=kind, token=token)
    result(_document(done), _text(done, spoke), as_json=json)
    if done.outcome is Outcome.BY_HAND:
        tell(f"Hand {done.request} to the hub. Then: bothways spoke install CERT --directory {directory}")
        # Without being asked for, it means that nothing will happen by itself: a timer has to show it.
        return OK if by_hand else EXPIRING
    return _hooked(spoke, hook, changed=done.outcome is Outcome.RENEWED)


def _put_back(spoke: Spoke, hook: str, *, as_json: bool) -> int:
    with alone(spoke.directory):
        put_back(spoke)
    certificate = certificate_in_use(spoke)
    until = certificate.not_valid_after_utc
    text = f"{spoke.certificate_file} is the one before again, valid until {until:%Y-%m-%d}"
    result({"outcome": "put back", "not_after": until.isoformat()}, text, as_json=as_json)
    tell(f"The same again takes it back: bothways spoke renew --undo --directory {spoke.directory}")
    return _hooked(spoke, hook, changed=True)


def _stay(directory: Path, hook: str, *, as_json: bool) -> int:
    pause, said, told, seconds = _PAUSE, "", "", 0.0
    with told_to_end() as waited:
        while not waited(seconds):
            try:
                # Opened anew each time: the contract may have changed.
                spoke = open_spoke(directory)
                done = renew_once(spoke, datetime.now(UTC))
                told = _contract_told(spoke, told)
                # A line for each change, and not for each look.
                if (text := _text(done, spoke)) != said:
                    said = text
                    result(_document(done), text, as_json=as_json)
                failed = _hooked(spoke, hook, changed=done.outcome is Outcome.RENEWED) != OK
                pause, seconds = (pause * 2, pause) if failed else (_PAUSE, wait_seconds(done, datetime.now(UTC)))
            except BothwaysError as error:
                tell(f"not renewed, and tried again in {pause:.0f} s: {error}")
                pause, seconds = pause * 2, pause
            pause = min(pause, _PAUSE_MOST)
    return OK


def _contract_told(spoke: Spoke, told: str) -> str:
    """Tell once of each contract that the hub has instead of the spoke's; return which one was told of last."""
    # Renewing goes on without the answer, and says itself that the hub is away.
    with suppress(BothwaysError):
        if (latest := newer(spoke)) and latest != told:
            tell(
                f"The hub has a newer contract (SHA-256 {latest}). Take it in: "
                f"bothways spoke contract --from-hub --directory {spoke.directory}"
            )
        return latest
    return told


def _hooked(spoke: Spoke, hook: str, *, changed: bool) -> int:
    """Run the command, if something changed, or if it failed the last time. What has to be told is remembered first."""
    marker = spoke.directory / _MARKER
    if not hook or not (changed or stands(marker)):
        return OK
    files.replace(marker, f"{hook}\n".encode())
    environment = os.environ | {"BOTHWAYS_DIRECTORY": str(spoke.directory.absolute())}
    try:
        ran = subprocess.run(shlex.split(hook), env=environment, stdout=sys.stderr, timeout=_HOOK_SECONDS, check=False)
        why = f"ended with {ran.returncode}" if ran.returncode else ""
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        why = f"cannot be run: {error}"
    if why:
        tell(f"The certificate is in use, and the command {hook!r} {why}. It is run again the next time.")
        return FAILED
    with suppress(OSError):
        marker.unlink()
    return OK


def _document(done: Renewal) -> dict[str, Any]:
    installed = done.installed
    return {
        "outcome": done.outcome.value,
        "due": done.due.isoformat(),
        "request": str(done.request) if done.request else None,
        "retry_seconds": done.retry_seconds if done.outcome is Outcome.WAITING else None,
        "fingerprint": installed.fingerprint if installed else None,
        "not_after": installed.not_after.isoformat() if installed else None,
    }


def _text(done: Renewal, spoke: Spoke) -> str:
    if done.outcome is Outcome.NOT_DUE:
        return f"nothing is due before {done.due:%Y-%m-%d %H:%M} UTC"
    if done.outcome is Outcome.WAITING:
        return f"{done.request} waits for the hub's review; it can be asked again in {done.retry_seconds} s"
    if done.outcome is Outcome.BY_HAND:
        return f"{done.request} is ready; {spoke.certificate_file} stays in use meanwhile"
    until = f"{done.installed.not_after:%Y-%m-%d}" if done.installed else ""
    return f"{spoke.certificate_file} is renewed, valid until {until}"
