"""`bothways hub backup`, `bothways hub restore` and `bothways hub reconcile`."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import BackupFile
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import actor, hub_in
from bothways.cli.output import HERE, Directory, Json, Why, result, tell
from bothways.operations.backup import backup_hub
from bothways.operations.reconcile import Reconciled, reconcile_hub
from bothways.operations.restore import restore_hub
from bothways.signer.secret import read_secret

_LIST_LIMIT = 1 << 28
_WHAT = "the passphrase of the backup"

Lists = Annotated[
    list[Path] | None,
    Parameter(negative="", help="The newest revocation list that the hub published; once for each issuing CA."),
]
PassphraseFile = Annotated[
    Path, Parameter(help="The file with the passphrase of the backup, mode 0600. Keep it elsewhere than the backup.")
]


def backup(
    file: BackupFile, *, passphrase_file: PassphraseFile, directory: Directory = HERE, json: Json = False
) -> int:
    """Write a backup of the hub into one new file: database with the keys, settings. The hub may run meanwhile.

    It is encrypted as a whole with the passphrase, read back, and its database and audit checked. Keys in a token are
    not in it. Exits with 1 if the audit is not whole: the backup is there then, for it may be evidence.
    """
    with hub_in(directory) as hub:
        made = backup_hub(hub, file, read_secret(passphrase_file, _WHAT))
        note, size = made.note, file.stat().st_size
        document = made.document() | {"file": str(file), "bytes": size}
        text = f"{file} has the database of {note.hub} {note.environment}, {size} bytes, and reads back."
        result(document, f"{text}\nhead of its audit: {note.audit_head}", as_json=json)
        if hub.settings.passphrase_file not in note.files:
            tell(f"NOT in it: the passphrase of the hub's keys, in {hub.settings.passphrase_file}. Keep it too.")
        if hub.settings.signer:
            tell("NOT in it: the keys in the token. Back it up as its maker says.")
        for each in made.audit.findings:
            tell(str(each))
        if made.audit.whole:
            return OK
        tell(
            f"The audit of this hub is NOT whole, nor is it in {file}. The backup was made, for it may be evidence, "
            "and `hub restore` refuses it. Keep it, delete no backup from before, and find out what happened: "
            "docs/audit.md"
        )
        return FAILED


def restore(
    file: BackupFile,
    *,
    passphrase_file: PassphraseFile,
    directory: Directory = HERE,
    crl: Lists = None,
    json: Json = False,
) -> int:
    """Make a hub from a backup, in a directory of its own, and bring it in line with what became meanwhile.

    Exits with 1 if something is left to be done by a person. See docs/disaster.md.
    """
    lists = _read(crl)
    done = restore_hub(file, read_secret(passphrase_file, _WHAT), directory, actor(), lists)
    text = (
        f"{directory} holds {done.note.hub} {done.note.environment} as of {done.note.made_at:%Y-%m-%d %H:%M:%S} UTC.\n"
        f"audit: whole, up to {done.note.audit_head}; the restore is its next line"
    )
    return _told(text, done.document(), done.reconciled, lists, directory, as_json=json)


def reconcile(*, reason: Why, crl: Lists = None, directory: Directory = HERE, json: Json = False) -> int:
    """Bring a hub in line whose database somebody put back to an older state, as with PostgreSQL's own means.

    Numbers of revocation lists go on behind those that were used, what is on the lists is revoked again, and the head
    of the audit is signed anew. No control plane may run. Exits with 1 if something is left to be done by a person.
    """
    lists = _read(crl)
    with hub_in(directory) as hub:
        lost, done = reconcile_hub(hub, reason, lists)
    text = f"audit: whole, but without the line {lost} that was signed last" if lost else "audit: whole"
    return _told(text, {"lost": lost} | done.document(), done, lists, directory, as_json=json)


def _read(crl: list[Path] | None) -> list[bytes]:
    return [files.read(each, "the revocation list", _LIST_LIMIT) for each in crl or ()]


def _told(
    text: str, document: dict[str, Any], done: Reconciled, lists: list[bytes], directory: Path, *, as_json: bool
) -> int:
    lines = [text]
    lines += [
        f"revocation list of the CA {each}: continued with number {number}" for each, number in done.numbers.items()
    ]
    if lists:
        lines.append(
            f"revoked from the lists that were given: {len(done.revoked)}; {done.unknown} on them are unknown here"
        )
    if any(done.ended.values()):
        counted = ", ".join(f"{number} {kind}" for kind, number in done.ended.items())
        lines.append(f"ended, for they may have been used since: {counted}")
    lines += [f"problem: {each}" for each in done.problems]
    result(document, "\n".join(lines), as_json=as_json)
    tell("What was issued after that state is unknown here, and opens nothing: those customers need new certificates.")
    if not lists:
        tell("What was revoked after that state is NOT revoked here. If something was, do it again with --crl.")
    if done.nodes:
        tell(
            f"Nodes that are let in when the hub runs: {', '.join(done.nodes)}. One that was withdrawn after that "
            "state is among them again: first bothways hub node withdraw NODE --reason WHY."
        )
    tell(f"Next: docs/disaster.md, then bothways hub run --directory {directory}")
    return FAILED if done.problems else OK
