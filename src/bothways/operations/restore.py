"""A hub from the file of a backup: it appears in its directory whole or not at all, in line with what became since."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bothways import files
from bothways.errors import Conflict, Refused, Unusable
from bothways.operations.audit import verify_audit
from bothways.operations.audit_head import sign_head
from bothways.operations.backup import BackupNote, unpack
from bothways.operations.hub import open_hub
from bothways.operations.migration import migrate_restored
from bothways.operations.reconcile import (
    Reconciled,
    end_what_works_once,
    issued_lists,
    raise_floors,
    revoke_and_publish,
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the state of which moment, and what came of bringing it in line."""

    note: BackupNote
    reconciled: Reconciled

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        return {"backup": self.note.document()} | self.reconciled.document()


def restore_hub(path: Path, passphrase: bytes, directory: Path, actor: str, lists: Sequence[bytes] = ()) -> Restored:
    """Make a hub in `directory` from a backup; it appears there whole or not at all.

    `lists` are the newest CRLs that the lost hub published, in PEM or DER: what is on them is revoked here too, and
    their numbers are not used again. Raises `Conflict` if something is in the directory, `Unusable` if the backup is
    damaged, `Refused` if its audit is not whole or a list is none of its CAs.
    """
    if directory.is_symlink() or (directory.exists() and not (directory.is_dir() and not any(directory.iterdir()))):
        raise Conflict(f"{directory} is not empty, and nothing is ever restored over a hub. Name another one.")
    files.make_directory(directory.absolute().parent)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.absolute().parent))
    try:
        note = unpack(path, passphrase, draft)
        files.make_directory(draft / "run")
        migrate_restored(draft, actor)
        with open_hub(draft, actor) as hub:
            if not (state := verify_audit(hub)).whole:
                raise Refused(state.findings)
            known = issued_lists(hub, lists)
            with hub.write() as transaction:
                raise_floors(transaction, known)
                ended = end_what_works_once(transaction)
                said = {"backup_of": note.made_at.isoformat(), "head": note.audit_head, "ended": ended}
                transaction.audit("hub.restore", hub.terms.hub, lists=len(known), **said)
            restored = Restored(note, revoke_and_publish(hub, known, ended))
            sign_head(hub)
        draft.replace(directory.absolute())
    except OSError as error:
        raise Unusable(f"no hub can be made in {directory}: {error.strerror}. Check path and disk.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return restored
