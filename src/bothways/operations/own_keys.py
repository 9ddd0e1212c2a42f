"""The hub's own private keys: opened with its passphrase, and stored in the transaction that puts them to use."""

from pathlib import Path
from typing import TYPE_CHECKING

from bothways.operations.directory import passphrase
from bothways.operations.settings import Settings
from bothways.signer.keys import Keys, ProvidedKey
from bothways.store import authorities, sealed_keys
from bothways.store.authorities import Role
from bothways.store.database import Database, Transaction

if TYPE_CHECKING:
    from bothways.operations.hub import Hub
    from bothways.registry.sealed_key import SealedKey


def open_keys(database: Database, directory: Path, settings: Settings) -> Keys:
    """Return the keys of the hub in this database, each opened at its first use. Raises `Unusable`."""

    def find(name: str) -> "SealedKey | None":
        with database.read() as connection:
            return sealed_keys.find(connection, name)

    with database.read() as connection:
        version = sealed_keys.version(connection)
    return Keys(find, lambda: passphrase(directory, settings), version, settings.signer)


def store_key(transaction: Transaction, key: ProvidedKey) -> str:
    """Store a new key in the transaction that puts it to use, unless it is in a token; return its name.

    Raises `Conflict` if the passphrase was changed since the key was made.
    """
    if key.stored:
        sealed_keys.add(transaction, key.name, key.stored)
    return key.name


def require_signers(hub: "Hub") -> None:
    """Open the key of each CA that signs now, and compare it with its certificate. Raises `Unusable`."""
    with hub.read() as connection:
        signing = [authorities.signing_authority(connection, role) for role in Role]
    for each in signing:
        hub.keys.signer_of(each.certificate, each.key_name)
