"""The signed head of the audit, in a file outside the database: how lines that were cut off at the end are found."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

from bothways import files
from bothways.errors import Refused, Unusable
from bothways.findings import Finding
from bothways.pki.keys import spki_pin
from bothways.pki.statement import make_statement, public_pem, read_public_pem, read_statement, require_signed
from bothways.store import audit, statement_keys
from bothways.store.statement_keys import Purpose

if TYPE_CHECKING:
    from bothways.operations.hub import Hub

HEAD_FILE = "audit-head.json"
"""In the hub's directory."""

_KIND = "audit-head"


@dataclass(frozen=True, slots=True)
class SignedHead:
    """How many lines the audit had at a moment, the hash of the last one, and who says so.

    `key` signed it; whether that is the key of this hub's audit, its SPKI pin tells.
    """

    environment: str
    hub: str
    lines: int
    hash: str
    at: datetime
    key: CertificatePublicKeyTypes
    text: str

    @property
    def spki_pin(self) -> str:
        """The SPKI pin of the key that signed it."""
        return spki_pin(self.key)


def sign_head(hub: "Hub", *, anew: bool = False) -> bool:
    """Sign the head of the audit, unless the file has it already; return whether it was signed.

    Once for a group of changes, and not for each of them: issuing is not to wait for it. A head is signed only over an
    audit that has the line of the one before: nobody covers by it what was cut off. `anew` signs the first one, or one
    after a person looked at what became of that line. Raises `Unusable` without it.
    """
    path = hub.directory / HEAD_FILE
    before = None if anew else _said(path)
    with hub.read() as connection:
        lines, digest = audit.last(connection)
        key = statement_keys.find(connection, Purpose.AUDIT)
        kept = anew or (before is not None and audit.has(connection, *before))
    if before == (lines, digest):
        return False
    if not kept:
        raise Unusable(
            f"the head of the audit is not signed, for the one before, in {path}, is "
            f"{'not in the audit any more' if before else 'gone or damaged'}. Look at: bothways audit verify; when it "
            "is clear what happened: bothways audit head FILE --anew --reason WHY"
        )
    statement = make_statement(
        _KIND,
        {
            "environment": hub.environment.value,
            "hub": hub.terms.hub,
            "lines": lines,
            "hash": digest,
            "at": hub.now().isoformat(),
        },
    )
    signature = b64encode(hub.keys.state(key.name, statement)).decode()
    document = {"head": statement.content.decode(), "signature": signature, "key": public_pem(key.public_key)}
    files.replace(path, (json.dumps(document) + "\n").encode(), files.PRIVATE)
    return True


def stored_head(directory: Path) -> dict[str, Any]:
    """Return the signed head in the hub's directory as a JSON object, for whoever keeps it. Raises `Unusable`."""
    document: dict[str, Any] = json.loads(files.read(directory / HEAD_FILE, "the signed head of the audit"))
    return document


def read_head(data: bytes, subject: str) -> SignedHead:
    """Return the signed head that `data` holds. Raises `Refused` if it is none, or was changed after it was signed."""
    try:
        document = json.loads(data)
        text, key = document["head"], read_public_pem(document["key"].encode())
        require_signed(text.encode(), b64decode(document["signature"], validate=True), key)
        said = read_statement(text.encode(), _KIND)
        at = datetime.fromisoformat(said["at"])
        return SignedHead(said["environment"], said["hub"], int(said["lines"]), said["hash"], at, key, text)
    # What a stranger wrote may have any shape.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else str(error)
        message = f"this is no signed head of an audit: {why}"
        hint = (
            "Take the file that `bothways audit head` wrote, unchanged. If it is unchanged, somebody forged it before."
        )
        raise Refused((Finding("AUDIT-04", message, hint, "docs/audit.md", subject),)) from error


def _said(path: Path) -> tuple[int, str] | None:
    """Return what the file says, verified by nobody: only to sign nothing twice."""
    try:
        said = json.loads(json.loads(path.read_bytes())["head"])
        return said["lines"], said["hash"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
