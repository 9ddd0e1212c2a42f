"""`bothways key`: ban, list."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.asking import DEFAULT, Document, Here, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, minute, result, table
from bothways.cli.remote import text_of
from bothways.operations import keys
from bothways.operations.hub import Hub
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
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Ban a key for good, for all customers, and revoke what is certified under it (keyCompromise)."""

    def local(hub: Hub) -> Document:
        pins = named_keys(data) or keys.require_named(files.read(Path(key), "the key"))
        done = keys.ban_keys(hub, pins, reason)
        return {"banned": sorted(pins), "new": [*done.spki_pins], "revoked": [*done.revoked]}

    with asked(where) as at:
        # A pin by itself is no name of a file.
        data = key.encode()
        named = key if isinstance(at, Here) or named_keys(data) else text_of(files.read(Path(key), "the key"))
        document = at.change(local, "POST", ("keys", "banned"), {"key": named, "reason": reason})
        lines = [f"{pin} is banned{'' if pin in document['new'] else ' already'}" for pin in document["banned"]]
        lines += [f"certificate {serial} is revoked" for serial in document["revoked"]]
        return at.conclude(document, "\n".join(lines), as_json=json)


def list_(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List the keys that are banned."""
    with asked(where) as at:
        found = at.every(lambda hub: [each.document() for each in keys.list_banned_keys(hub)], ("keys", "banned"))
        rows = [
            (each["spki_pin"], each["cause"], minute(each["banned_at"]), each["banned_by"], each["reason"])
            for each in found
        ]
        result(found, table(rows, ("SHA-256", "CAUSE", "SINCE", "BY", "REASON")), as_json=json)
        return OK
