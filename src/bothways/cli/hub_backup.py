"""`bothways hub backup` and `bothways hub restore`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import BackupFile
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import actor, hub_in
from bothways.cli.output import HERE, Directory, Json, result, tell
from bothways.operations.backup import backup_hub
from bothways.operations.restore import restore_hub
from bothways.signer.secret import read_secret

_LIST_LIMIT = 1 << 28
_WHAT = "the passphrase of the backup"

PassphraseFile = Annotated[
    Path, Parameter(help="The file with the passphrase of the backup, mode 0600. Keep it elsewhere than the backup.")
]


def backup(
    file: BackupFile, *, passphrase_file: PassphraseFile, directory: Directory = HERE, json: Json = False
) -> int:
    """Write a backup of the hub into one new file: database with the keys, settings. The hub may run meanwhile.

    It is encrypted as a whole with the passphrase, read back, and its database checked. Keys in a token are not in it.
    """
    with hub_in(directory) as hub:
        note = backup_hub(hub, file, read_secret(passphrase_file, _WHAT))
        size = file.stat().st_size
        document = note.document() | {"file": str(file), "bytes": size}
        text = f"{file} has the database of {note.hub} {note.environment}, {size} bytes, and reads back."
        result(document, f"{text}\nhead of its audit: {note.audit_head}", as_json=json)
        if hub.settings.passphrase_file not in note.files:
            tell(f"NOT in it: the passphrase of the hub's keys, in {hub.settings.passphrase_file}. Keep it too.")
        if hub.settings.signer:
            tell("NOT in it: the keys in the token. Back it up as its maker says.")
        return OK


def restore(
    file: BackupFile,
    *,
    passphrase_file: PassphraseFile,
    directory: Directory = HERE,
    crl: Annotated[
        list[Path] | None,
        Parameter(
            negative="", help="The newest revocation list that the lost hub published; once for each issuing CA."
        ),
    ] = None,
    json: Json = False,
) -> int:
    """Make a hub from a backup, in a directory of its own, and bring it in line with what became meanwhile.

    Exits with 1 if something is left to be done by a person. See docs/disaster.md.
    """
    lists = [files.read(each, "the revocation list", _LIST_LIMIT) for each in crl or ()]
    done = restore_hub(file, read_secret(passphrase_file, _WHAT), directory, actor(), lists)
    lines = [
        f"{directory} holds {done.note.hub} {done.note.environment} as of {done.note.made_at:%Y-%m-%d %H:%M:%S} UTC."
    ]
    lines.append(f"audit: whole, up to {done.note.audit_head}; the restore is its next line")
    lines += [
        f"revocation list of the CA {each}: continued with number {number}" for each, number in done.numbers.items()
    ]
    if lists:
        lines.append(
            f"revoked from the lists that were given: {len(done.revoked)}; {done.unknown} on them are unknown here"
        )
    lines += [f"problem: {each}" for each in done.problems]
    result(done.document(), "\n".join(lines), as_json=json)
    tell("What was issued after the backup is unknown here, and opens nothing: those customers need new certificates.")
    if not lists:
        tell("What was revoked after the backup is NOT revoked here. If something was, restore again with --crl.")
    tell(f"Next: docs/disaster.md, then bothways hub run --directory {directory}")
    return FAILED if done.problems else OK
