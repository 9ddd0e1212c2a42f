from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from bothways.errors import Conflict
from bothways.registry.sealed_key import SealedKey
from bothways.store import authorities, sealed_keys
from bothways.store.authorities import Role
from bothways.store.database import Database


def test_a_key_is_found_as_it_was_stored_and_by_its_name_alone(database: Database, now: datetime) -> None:
    key = SealedKey(b"sealed", 1)
    with database.write(now, "tester") as transaction:
        sealed_keys.add(transaction, "ca", key)
    with database.read() as connection:
        assert sealed_keys.find(connection, "ca") == key
        assert sealed_keys.find(connection, "other") is None
        assert sealed_keys.every(connection) == {"ca": key}


@pytest.mark.parametrize("version", [0, 2])
def test_one_that_another_passphrase_sealed_is_not_stored(database: Database, now: datetime, version: int) -> None:
    with (
        pytest.raises(Conflict, match=f"version 1 is wanted, and this has version {version}"),
        database.write(now, "tester") as transaction,
    ):
        sealed_keys.add(transaction, "ca", SealedKey(b"sealed", version))


def test_what_something_names_and_is_not_there_is_missing_unless_a_token_has_it(
    database: Database, make_ca: Callable[..., Any], now: datetime
) -> None:
    with database.write(now, "tester") as transaction:
        for name in ("issuing-ca-2", "pkcs11:object=ca", "issuing-ca-1"):
            authorities.add_authority(transaction, Role.ISSUING, make_ca("CA")[1], name)
        assert sealed_keys.missing(transaction.connection) == ("issuing-ca-1", "issuing-ca-2")
        sealed_keys.add(transaction, "issuing-ca-2", SealedKey(b"sealed", 1))
        assert sealed_keys.missing(transaction.connection) == ("issuing-ca-1",)
