"""`bothways key`: ban, list."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import OK
from bothways.cli.opening import conclude, hub_in
from bothways.cli.output import HERE, Directory, Json, result, table
from bothways.operations import keys
from bothways.pki.pins import named_keys


def ban(
    key: Annotated[
        str,
        Parameter(
            help="A file with the key in a certificate, a request, or by itself, or with SHA-256 pins, one a line; "
            "or one pin."
        ),
    ],
    *,
    reason: Annotated[str, Parameter(help="How it is known that others can have the private key; it is recorded.")],
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Ban a key for good, for all customers, and revoke what is certified under it (keyCompromise)."""
    with hub_in(directory) as hub:
        # A pin by itself is no name of a file.
        data = key.encode()
        pins = named_keys(data) or keys.require_named(files.read(Path(key), "the key"))
        done = keys.ban_keys(hub, pins, reason)
        lines = [f"{pin} is banned{'' if pin in done.spki_pins else ' already'}" for pin in sorted(pins)]
        lines += [f"certificate {serial} is revoked" for serial in done.revoked]
        document = {"banned": sorted(pins), "new": [*done.spki_pins], "revoked": [*done.revoked]}
        return conclude(hub, document, "\n".join(lines), as_json=json)


def list_(*, directory: Directory = HERE, json: Json = False) -> int:
    """List the keys that are banned."""
    with hub_in(directory) as hub:
        found = keys.list_banned_keys(hub)
        rows = [
            (each.spki_pin, each.cause.value, f"{each.banned_at:%Y-%m-%d %H:%M}", each.banned_by, each.reason)
            for each in found
        ]
        result(
            [each.document() for each in found],
            table(rows, ("SHA-256", "CAUSE", "SINCE", "BY", "REASON")),
            as_json=json,
        )
        return OK
