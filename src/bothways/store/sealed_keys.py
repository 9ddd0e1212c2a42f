"""The hub's private keys as they are stored: sealed with a passphrase that is elsewhere, beside its version."""

from sqlalchemy import Connection, insert, select, update

from bothways.errors import Conflict
from bothways.registry.sealed_key import SealedKey
from bothways.store.database import Transaction
from bothways.store.schema import authority, credential, hub
from bothways.store.schema_credentials import customer_credential
from bothways.store.schema_keys import sealed_key
from bothways.store.schema_statements import statement_key

_NAMING = tuple(each.c.key_name for each in (authority, credential, customer_credential, statement_key))
_ELSEWHERE = "pkcs11:%"


def add(transaction: Transaction, name: str, key: SealedKey) -> None:
    """Store a new key. Raises `Conflict` if it was sealed with a passphrase that was changed meanwhile."""
    require_version(transaction.connection, key.passphrase)
    values = {"name": name, "sealed": key.pem, "passphrase": key.passphrase, "made_at": transaction.now}
    transaction.connection.execute(insert(sealed_key).values(**values))


def find(connection: Connection, name: str) -> SealedKey | None:
    """Return the key of a name, if it is stored."""
    row = connection.execute(select(sealed_key).where(sealed_key.c.name == name)).first()
    return SealedKey(row.sealed, row.passphrase) if row else None


def every(connection: Connection) -> dict[str, SealedKey]:
    """Return all keys by their names."""
    query = select(sealed_key).order_by(sealed_key.c.name)
    return {row.name: SealedKey(row.sealed, row.passphrase) for row in connection.execute(query)}


def replace(transaction: Transaction, name: str, key: SealedKey) -> None:
    """Store the same key, sealed anew."""
    values = {"sealed": key.pem, "passphrase": key.passphrase}
    transaction.connection.execute(update(sealed_key).where(sealed_key.c.name == name).values(**values))


def version(connection: Connection) -> int:
    """Return the version of the passphrase that all keys are sealed with."""
    return int(connection.execute(select(hub.c.passphrase)).scalar_one())


def set_version(transaction: Transaction, number: int) -> None:
    """Record which version of the passphrase all keys are sealed with."""
    transaction.connection.execute(update(hub).values(passphrase=number))


def require_version(connection: Connection, found: int) -> None:
    """Raise `Conflict` unless something was sealed with this version of the passphrase, the present one."""
    if found != (wanted := version(connection)):
        raise Conflict(
            f"the hub's passphrase was changed meanwhile: version {wanted} is wanted, and this has version {found}. "
            "Try again."
        )


def missing(connection: Connection) -> tuple[str, ...]:
    """Return the names of keys that something else in the database names, and that are not in it: not those in a token.

    In order.
    """
    named: set[str] = set()
    for column in _NAMING:
        query = select(column).where(column.not_like(_ELSEWHERE), column.not_in(select(sealed_key.c.name)))
        named.update(connection.execute(query).scalars())
    return tuple(sorted(named))
