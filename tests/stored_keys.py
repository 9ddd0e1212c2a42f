"""The private keys of a test's hub: which there are, and the hub without one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import delete, insert

from bothways.operations.hub import Hub, open_hub
from bothways.signer.keys import Keys
from bothways.store import sealed_keys
from bothways.store.schema_keys import sealed_key

AnyKeys = TypeVar("AnyKeys", bound=Keys)


def key_names(hub: Hub) -> frozenset[str]:
    """Return the names of all keys that are stored."""
    with hub.read() as connection:
        return frozenset(sealed_keys.every(connection))


def lose_key(hub: Hub, name: str = "issuing-ca-1") -> None:
    """Take a key out of the database, for good."""
    with hub.write() as transaction:
        assert transaction.connection.execute(delete(sealed_key).where(sealed_key.c.name == name)).rowcount == 1


@contextmanager
def put_away(hub: Hub, name: str = "issuing-ca-1") -> Iterator[None]:
    """Take a key out of the database until the block ends; who has opened it goes on."""
    with hub.read() as connection:
        row = connection.execute(sealed_key.select().where(sealed_key.c.name == name)).one()
    lose_key(hub, name)
    try:
        yield
    finally:
        with hub.write() as transaction:
            transaction.connection.execute(insert(sealed_key).values(row._mapping))


@contextmanager
def without_key(hub: Hub, name: str = "issuing-ca-1") -> Iterator[Hub]:
    """Yield the hub, opened anew, without one of its keys."""
    with put_away(hub, name), open_hub(hub.directory, "tester") as opened:
        yield opened


def keys_as(kind: type[AnyKeys], hub: Hub) -> AnyKeys:
    """Return the keys of the hub as those of a kind that a test made."""
    return kind(hub.keys._find, hub.keys._secret, hub.keys.version)
