from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.exc import IntegrityError

from bothways.pki.keys import spki_pin
from bothways.store import statement_keys
from bothways.store.database import Database
from bothways.store.statement_keys import Purpose


def test_a_key_is_found_by_its_purpose(
    database: Database, now: datetime, ecdsa_key: ec.EllipticCurvePrivateKey
) -> None:
    key = ecdsa_key.public_key()
    with database.write(now, "tester") as transaction:
        statement_keys.add(transaction, Purpose.AUDIT, "statement-audit", key)
    with database.read() as connection:
        found = statement_keys.find(connection, Purpose.AUDIT)
    assert (found.name, found.spki_pin) == ("statement-audit", spki_pin(key))


def test_a_purpose_has_one_key(database: Database, now: datetime, ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    with database.write(now, "tester") as transaction:
        statement_keys.add(transaction, Purpose.BUNDLE, "one", ecdsa_key.public_key())
        with pytest.raises(IntegrityError):
            statement_keys.add(transaction, Purpose.BUNDLE, "two", ecdsa_key.public_key())
