"""A backup of a hub while it runs: database, settings, terms and keys, in one file that is encrypted as a whole."""

import fcntl
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bothways import files
from bothways.errors import Conflict, Unusable
from bothways.operations.audit import AuditState, verify_audit
from bothways.operations.audit_head import HEAD_FILE, sign_head
from bothways.operations.directory import CONTRACT_FILE
from bothways.operations.hub import DATABASE_FILE, Hub
from bothways.operations.key_files import KEYS
from bothways.operations.settings import FILE
from bothways.signer.sealed_file import SealedReader, SealedWriter, require_long
from bothways.store import audit
from bothways.store.copies import copy_database, unsound
from bothways.store.database import Database

MANIFEST = "backup.json"
WORKPLACE = ".backup"
"""In the hub's directory, and empty while no backup is made."""
ROOM = 100 << 20
"""Bytes that a backup leaves free on the disk of the hub."""
_MEMBER_LIMIT = 1 << 40
_SMALL = 1 << 20


@dataclass(frozen=True, slots=True)
class BackupNote:
    """What a backup says of itself: of which hub and moment it is, where its audit ended, and what is in it."""

    environment: str
    hub: str
    made_at: datetime
    audit_head: str
    files: dict[str, str]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that stands in the backup."""
        return {
            "environment": self.environment,
            "hub": self.hub,
            "made_at": self.made_at.isoformat(),
            "audit_head": self.audit_head,
            "files": self.files,
        }


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that reads back: what it says of itself, and whether the audit in it is whole.

    One with another audit may be all the evidence that there is, and no hub is ever restored from it.
    """

    note: BackupNote
    audit: AuditState

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        findings = [each.document() for each in self.audit.findings]
        return self.note.document() | {"whole": self.audit.whole, "findings": findings}


def backup_hub(hub: Hub, path: Path, passphrase: bytes) -> Backup:
    """Write a backup to `path`, which must not exist, and read it back; the hub may run meanwhile.

    Keys are in the database, encrypted with the hub's passphrase, and the whole is with this one. A passphrase,
    a token or a file of pins that lies elsewhere is not in it. It is written of an audit that is not whole, too: see
    `Backup`. Raises `Conflict`, `Unusable`.
    """
    if hub.settings.database:
        raise Unusable(
            "this hub's database is in PostgreSQL, which is backed up by its own means, like pg_dump; the "
            "passphrase of its keys and the settings are files, to be kept beside that. How both go together: "
            "docs/postgresql.md"
        )
    require_long(passphrase)
    made_at = hub.now()
    with hub.write() as transaction:
        transaction.audit("hub.backup", path.name)
    unsigned = _not_signed(hub)
    with hub.read() as connection:
        lines, digest = audit.last(connection)
    with _workplace(hub) as place:
        # First: the hub that runs signs a newer head meanwhile, of lines that the copy of the database would lack.
        small = _small_files(hub)
        for name in small:
            content = files.read(hub.directory / name, name, _SMALL)
            files.make_directory((place / name).parent)
            files.write_new(place / name, content, files.PRIVATE)
        copy_database(hub.directory / DATABASE_FILE, place / DATABASE_FILE)
        digests = {name: _digest(place / name) for name in (DATABASE_FILE, *small)}
        note = BackupNote(hub.environment.value, hub.terms.hub, made_at, f"{lines}:{digest}", digests)
        _write(place, path, note, passphrase)
        # One copy at a time.
        (place / DATABASE_FILE).unlink()
        try:
            _require_readable(path, passphrase, place / "read-back", note)
            state = _audit_in(hub, place / "read-back", unsigned)
        except BaseException:
            # Nobody is to take it for a backup.
            path.unlink(missing_ok=True)
            raise
    return Backup(note, state)


def unpack(path: Path, passphrase: bytes, place: Path) -> BackupNote:
    """Write what is in a backup into `place`, a private directory, and return what the backup says of itself.

    Nothing is written under a name that is not a hub's. Raises `Unusable` unless all of it is as it was written.
    """
    try:
        with path.open("rb") as source:
            reader = io.BufferedReader(SealedReader(source, passphrase, path))  # type: ignore[type-var]
            with tarfile.open(fileobj=reader, mode="r|") as archive:
                found = dict(_unpacked(archive, place, path))
            # The mark of the end may be in a chunk of its own.
            while reader.read(_SMALL):
                pass
    except tarfile.TarError as error:
        raise Unusable(f"{path} is damaged: {error}. Take another backup.") from error
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}. Check path and disk.") from error
    try:
        said = json.loads((place / MANIFEST).read_bytes())
        note = BackupNote(
            said["environment"],
            said["hub"],
            datetime.fromisoformat(said["made_at"]),
            said["audit_head"],
            said["files"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable(f"{path} does not say what is in it. Take another backup.") from error
    (place / MANIFEST).unlink()
    found.pop(MANIFEST)
    if found != note.files:
        raise Unusable(f"{path} does not hold what it says. Take another backup.")
    if wrong := unsound(place / DATABASE_FILE):
        raise Unusable(f"the database in {path} is damaged: {wrong}. Take another backup.")
    return note


def _require_readable(path: Path, passphrase: bytes, place: Path, note: BackupNote) -> None:
    files.make_directory(place)
    if unpack(path, passphrase, place) != note:
        raise Unusable(f"{path} does not read back as it was written. Check the disk, and try again.")


def _not_signed(hub: Hub) -> Unusable | None:
    """Sign the head of the audit; return why it is not: for lines that are gone, or because the key cannot be used."""
    try:
        sign_head(hub)
    except Unusable as error:
        return error
    return None


def _audit_in(hub: Hub, place: Path, unsigned: Unusable | None) -> AuditState:
    """Return whether the audit is whole in what was read back: no reader holds up the log of the hub's own database.

    Raises what kept the head from being signed, if the audit does not tell it by a finding.
    """
    with closing(Database(place / DATABASE_FILE)) as database:
        state = verify_audit(replace(hub, directory=place, database=database))
    if unsigned and state.whole:
        raise unsigned
    # What was read back is not kept: whoever looks, looks at the hub's own.
    here, there = str(place), str(hub.directory)
    named = [
        replace(each, message=each.message.replace(here, there), subject=each.subject.replace(here, there))
        for each in state.findings
    ]
    return replace(state, findings=tuple(named))


def _small_files(hub: Hub) -> tuple[str, ...]:
    inside = [FILE, CONTRACT_FILE]
    # Somebody may have taken it away, which is a finding then.
    if (hub.directory / HEAD_FILE).is_file():
        inside.append(HEAD_FILE)
    # One that lies elsewhere is somebody else's to keep.
    if Path(hub.settings.passphrase_file).name == hub.settings.passphrase_file:
        inside.append(hub.settings.passphrase_file)
    return tuple(inside)


def _write(place: Path, path: Path, note: BackupNote, passphrase: bytes) -> None:
    def sealed(out: Any) -> None:
        writer = SealedWriter(out, passphrase)
        with tarfile.open(fileobj=writer, mode="w|") as archive:
            text = json.dumps(note.document()).encode()
            info = tarfile.TarInfo(MANIFEST)
            info.size, info.mode = len(text), files.PRIVATE
            archive.addfile(info, io.BytesIO(text))
            for name in note.files:
                member = tarfile.TarInfo(name)
                member.size, member.mode = (place / name).stat().st_size, files.PRIVATE
                with (place / name).open("rb") as content:
                    archive.addfile(member, content)
        writer.finish()

    files.write_new_by(path, sealed, files.PRIVATE)


def _unpacked(archive: tarfile.TarFile, place: Path, path: Path) -> Iterator[tuple[str, str]]:
    for member in archive:
        # Backups of earlier releases have files of keys.
        folder, _, name = member.name.rpartition("/")
        known = folder in {"", KEYS} and name not in {"", ".", ".."} and "\\" not in name and "\0" not in name
        content = archive.extractfile(member) if known and member.isreg() else None
        if content is None or not 0 <= member.size < _MEMBER_LIMIT:
            raise Unusable(f"{path} holds {member.name[:80]!r}, which is no file of a hub. Take another backup.")
        files.make_directory(place / folder)
        # Written by us under a name of ours, new, and for this user alone; nothing is extracted.
        files.write_new_by(place / member.name, partial(shutil.copyfileobj, content), files.PRIVATE)
        yield member.name, _digest(place / member.name)


@contextmanager
def _workplace(hub: Hub) -> Iterator[Path]:
    """Yield a private directory beside the database, where the same stands in the open anyway.

    On the disk of the backup it would be read by whoever has that, during the backup, and for good after a crash. What
    a backup that was killed left is taken away. Raises `Conflict` if another one is under way, `Unusable` without room.
    """
    _require_room(hub)
    place = hub.directory / WORKPLACE
    files.make_directory(place)
    held = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict("another backup of this hub is under way. Wait until it has ended.") from error
        _empty(place)
        try:
            yield place
        finally:
            _empty(place)
    finally:
        os.close(held)


def _empty(place: Path) -> None:
    for each in place.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


def _require_room(hub: Hub) -> None:
    """Raise `Unusable` if a copy of the database would leave too little room for the hub that runs."""
    size, free = (hub.directory / DATABASE_FILE).stat().st_size, shutil.disk_usage(hub.directory).free
    if free < size + ROOM:
        raise Unusable(
            f"the disk of {hub.directory} has {free >> 20} MiB left, and a copy of the database takes {size >> 20} MiB "
            f"there while the backup is made; {ROOM >> 20} MiB more are for the hub. Make room."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
