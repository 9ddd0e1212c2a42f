"""The systemd units that keep a spoke's certificate renewed, as text for one directory. Nothing is installed."""

import re
import shlex
from pathlib import Path

NAME = "bothways-renew"


def renewal_units(directory: Path, program: str, hook: str = "") -> dict[str, str]:
    """Return the service and the timer, by file name: twice a day at a minute of its own, made up for after a sleep.

    `directory` is the spoke's, `program` the absolute path of `bothways`, `hook` the command after an installation.
    """
    place = directory.absolute()
    words = [program, "spoke", "renew", "--directory", str(place), *(["--hook", hook] if hook else [])]
    # Other characters are not allowed in the names of units (systemd.unit(5)).
    name = f"{NAME}-{re.sub('[^A-Za-z0-9:_.-]', '-', place.name)}"
    service = f"""[Unit]
Description=Renew the client certificate in {_escaped(str(place))}
Documentation=https://www.rfc-editor.org/rfc/rfc7030
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={" ".join(_quoted(each) for each in words)}
ReadWritePaths={_quoted(str(place))}
ProtectSystem=strict
PrivateTmp=yes
NoNewPrivileges={"no" if hook else "yes"}
"""
    timer = f"""[Unit]
Description=Look twice a day whether the certificate in {_escaped(str(place))} is to be renewed

[Timer]
OnCalendar=*-*-* 03,15:00:00
RandomizedDelaySec=1h
FixedRandomDelay=yes
Persistent=yes

[Install]
WantedBy=timers.target
"""
    return {f"{name}.service": service, f"{name}.timer": timer}


def unit_commands(units: dict[str, str]) -> str:
    """Return commands that put the units in place and switch the timer on, ready to paste."""
    lines = []
    for name, text in units.items():
        lines += [f"sudo tee {shlex.quote(f'/etc/systemd/system/{name}')} > /dev/null << 'END_OF_UNIT'"]
        lines += [text.rstrip(), "END_OF_UNIT"]
    timer = next(each for each in units if each.endswith(".timer"))
    return "\n".join([*lines, f"sudo systemctl daemon-reload && sudo systemctl enable --now {shlex.quote(timer)}"])


def _quoted(text: str) -> str:
    """Quote a word for a unit file (systemd.syntax(7)): % and $ mean something there."""
    plain = _escaped(text).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{plain}"' if any(each.isspace() or each in "\"'\\" for each in plain) else plain


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
