"""The passphrase of the hub's keys is changed: everything that it guards is sealed anew, in one transaction."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bothways import files
from bothways.errors import Conflict, Unusable
from bothways.operations.accounts import place_of
from bothways.operations.directory import passphrase
from bothways.operations.hub import Hub
from bothways.registry.sealed_key import SealedKey
from bothways.signer.private_key import open_key, seal_key
from bothways.signer.sealed import seal, unseal
from bothways.signer.sealed_file import require_long
from bothways.store import accounts, sealed_keys, statement_keys
from bothways.store.statement_keys import Purpose


@dataclass(frozen=True, slots=True)
class Changed:
    """The version of the passphrase from now on, what was sealed anew, and the file that has it, None if none does."""

    version: int
    keys: int
    secrets: int
    file: Path | None

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        file = str(self.file) if self.file else None
        return {"version": self.version, "keys": self.keys, "secrets": self.secrets, "file": file}


def change_passphrase(hub: Hub, secret: bytes) -> Changed:
    """Seal all keys, and the secrets of people's codes, with another passphrase; each is opened with it before.

    The file of the passphrase is replaced if it lies in the hub's directory; elsewhere, and at other control planes,
    that is for whoever put it there. Raises `Unusable` if it is too short, or the present one opens not everything;
    `Conflict` if it is the present one.
    """
    require_long(secret)
    before = passphrase(hub.directory, hub.settings)
    if secret == before:
        raise Conflict("the new passphrase is the present one. Make another: openssl rand -base64 24")
    with hub.read() as connection:
        # Opened now, for the head of the audit is signed afterwards, when a file elsewhere does not open it any more.
        hub.keys.signer(statement_keys.find(connection, Purpose.AUDIT).name)
    with hub.write() as transaction:
        version = sealed_keys.version(transaction.connection) + 1
        stored = sealed_keys.every(transaction.connection)
        for name, key in stored.items():
            sealed_keys.replace(transaction, name, _anew(name, key, before, secret, version))
        secrets = accounts.replace_secrets(
            transaction, lambda person, sealed: _secret_anew(sealed, before, secret, place_of(person))
        )
        sealed_keys.set_version(transaction, version)
        transaction.audit("passphrase.change", "database", before=version - 1, after=version, keys=len(stored))
    inside = not Path(hub.settings.passphrase_file).is_absolute()
    path = hub.directory / hub.settings.passphrase_file
    if inside:
        files.replace(path, secret + b"\n", files.PRIVATE)
    return Changed(version, len(stored), secrets, path if inside else None)


def _anew(name: str, key: SealedKey, before: bytes, after: bytes, version: int) -> SealedKey:
    opened = open_key(key.pem, before, name)
    sealed = seal_key(opened, after)
    if open_key(sealed, after, name).public_key != opened.public_key:
        raise Unusable(f"the private key {name} does not open as it was sealed. Nothing was changed: report this.")
    return SealedKey(sealed, version)


def _secret_anew(sealed: bytes, before: bytes, after: bytes, place: str) -> bytes:
    return seal(after, unseal(before, sealed, place), place)
