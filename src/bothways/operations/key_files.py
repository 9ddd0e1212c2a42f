"""The key files of earlier releases, `keys/*.key`: taken into the database, and removed when they are there.

They hold the same bytes. Killed in between, nothing is lost: files go after the commit, and the next try goes on.
"""

from pathlib import Path

from bothways import files
from bothways.errors import Unusable
from bothways.registry.sealed_key import SealedKey
from bothways.signer.private_key import open_key
from bothways.store import sealed_keys
from bothways.store.database import Database, Transaction

KEYS = "keys"
"""In the hub's directory."""


def key_files(directory: Path) -> tuple[Path, ...]:
    """Return the files of keys that there are."""
    return tuple(sorted((directory / KEYS).glob("*.key")))


def take_in(transaction: Transaction, directory: Path, passphrase: bytes) -> int:
    """Store the keys that the database names and does not have, and return how many that were.

    One whose file is lost stays lost, and whoever needs it says so. Raises `Unusable` if the passphrase does not open
    one, or it does not read back as it was.
    """
    connection, taken = transaction.connection, 0
    for name in sealed_keys.missing(connection):
        path = directory / KEYS / f"{name}.key"
        if not path.exists():
            continue
        key = SealedKey(files.read_private(path, f"the private key {name}"), sealed_keys.version(connection))
        open_key(key.pem, passphrase, name)
        sealed_keys.add(transaction, name, key)
        if sealed_keys.find(connection, name) != key:
            raise Unusable(f"{path} does not read back from the database as it is. Nothing was changed: report this.")
        taken += 1
    if taken:
        transaction.audit("key.take-in", "database", keys=taken)
    return taken


def remove_taken(database: Database, directory: Path) -> tuple[Path, ...]:
    """Remove the files whose bytes are in the database, which has been committed; return those that are left.

    No certificate of the hub is known for those.
    """
    there = key_files(directory)
    if not there:
        return ()
    with database.read() as connection:
        stored = sealed_keys.every(connection)
    taken = [each for each in there if each.stem in stored and stored[each.stem].pem == each.read_bytes()]
    for each in taken:
        each.unlink()
    files.sync_directory(directory / KEYS)
    if not any((directory / KEYS).iterdir()):
        (directory / KEYS).rmdir()
    return tuple(each for each in there if each not in taken)
