"""A hub from a backup, and what became meanwhile of what the backup does not know: CRL numbers, revocations, the audit.

Serial numbers need nothing: they are 159 random bits, and not counted. Certificates that were issued after the backup
are unknown to the restored hub, so they open nothing.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from bothways import files
from bothways.errors import BothwaysError, Conflict, NotFound, Refused, Unusable
from bothways.findings import Finding
from bothways.operations.audit import verify_audit
from bothways.operations.audit_head import sign_head
from bothways.operations.backup import BackupNote, unpack
from bothways.operations.certificates import revoke_certificate
from bothways.operations.hub import Hub, open_hub
from bothways.operations.migration import migrate_restored
from bothways.operations.own_keys import require_signers
from bothways.operations.revocation import publish_list
from bothways.pki.revocation import RevocationReason
from bothways.store import authorities, revocation_lists
from bothways.store.authorities import Authority, Role
from bothways.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: the state of which moment, what was taken from lists, and what could not be done yet."""

    note: BackupNote
    revoked: tuple[str, ...]
    unknown: int
    numbers: dict[int, int]
    problems: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        return {
            "backup": self.note.document(),
            "revoked": list(self.revoked),
            "unknown": self.unknown,
            "list_numbers": {str(key): value for key, value in self.numbers.items()},
            "problems": list(self.problems),
        }


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
            restored = _reconciled(hub, note, lists)
        draft.replace(directory.absolute())
    except OSError as error:
        raise Unusable(f"no hub can be made in {directory}: {error.strerror}. Check path and disk.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return restored


def _reconciled(hub: Hub, note: BackupNote, lists: Sequence[bytes]) -> Restored:
    problems: list[str] = []
    if not (state := verify_audit(hub)).whole:
        raise Refused(state.findings)
    try:
        require_signers(hub)
    except BothwaysError as error:
        problems.append(f"a CA cannot sign yet: {error}")
    with hub.read() as connection:
        issuing = authorities.trusted(connection, Role.ISSUING)
    known = [_matched(each, issuing) for each in lists]
    with hub.write() as transaction:
        for each in issuing:
            _raise_floor(transaction, each, note.made_at)
        for authority, one in known:
            revocation_lists.raise_floor(transaction, authority.id, _number(one) + 1)
        transaction.audit(
            "hub.restore", hub.terms.hub, backup_of=note.made_at.isoformat(), head=note.audit_head, lists=len(known)
        )
    revoked, unknown = _revoked(hub, [one for _, one in known])
    numbers = {}
    for each in issuing:
        try:
            numbers[each.id] = publish_list(hub, each) or 0
        except BothwaysError as error:
            problems.append(f"the revocation list of the CA {each.id} is not published yet: {error}")
    sign_head(hub)
    return Restored(note, revoked, unknown, numbers, tuple(problems))


def _raise_floor(transaction: Transaction, authority: Authority, made_at: datetime) -> None:
    """Leave out every number that the lost hub can have used since the backup: one a second at most."""
    last = revocation_lists.current(transaction.connection, authority.id)
    number, since = (last.number, last.this_update) if last else (0, made_at)
    seconds = int((transaction.now - since).total_seconds())
    revocation_lists.raise_floor(transaction, authority.id, number + 1 + max(seconds, 0))


def _matched(data: bytes, issuing: Sequence[Authority]) -> tuple[Authority, x509.CertificateRevocationList]:
    try:
        read = x509.load_pem_x509_crl if b"-----BEGIN" in data else x509.load_der_x509_crl
        found = read(data)
        for each in issuing:
            key = each.certificate.public_key()
            if found.issuer == each.certificate.subject and found.is_signature_valid(key):  # type: ignore[arg-type]
                _number(found)
                return each, found
        why = "none of this hub's CAs signed it"
    except (ValueError, x509.ExtensionNotFound) as error:
        why = str(error)
    hint = "Give what was published last: the file at the address in the certificates, or `bothways certificate crl`."
    raise Refused(
        (Finding("RESTORE-01", f"this is no revocation list of this hub: {why}", hint, "RFC 5280 section 5"),)
    )


def _number(one: x509.CertificateRevocationList) -> int:
    return one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _revoked(hub: Hub, lists: Sequence[x509.CertificateRevocationList]) -> tuple[tuple[str, ...], int]:
    """Revoke what is on the lists; return the serial numbers that were not revoked before, and how many are unknown."""
    found = {f"{entry.serial_number:x}": _reason(entry) for one in lists for entry in one}
    unknown, revoked = 0, []
    for serial, reason in found.items():
        try:
            revoked.append(revoke_certificate(hub, serial, reason).serial)
        except NotFound:
            # Issued after the backup: it opens nothing.
            unknown += 1
        except Conflict:
            continue
    return tuple(revoked), unknown


def _reason(entry: x509.RevokedCertificate) -> RevocationReason:
    try:
        return RevocationReason(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except (x509.ExtensionNotFound, ValueError):
        return RevocationReason.UNSPECIFIED
