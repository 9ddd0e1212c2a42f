"""The public parts of the keys that sign the hub's statements, and the names by which the signer knows them."""

from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from sqlalchemy import Connection, insert, select

from bothways.pki.keys import spki_pin
from bothways.store.database import Transaction
from bothways.store.schema_statements import statement_key


class Purpose(StrEnum):
    """What a key states: `audit` the head of the audit, `bundle` what is in a bundle for a customer."""

    AUDIT = "audit"
    BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class StatementKey:
    """A key that signs statements of one purpose."""

    name: str
    public_key: CertificatePublicKeyTypes

    @property
    def spki_pin(self) -> str:
        """How the key is told to others, to compare."""
        return spki_pin(self.public_key)


def add(transaction: Transaction, purpose: Purpose, name: str, public_key: CertificatePublicKeyTypes) -> StatementKey:
    """Store the one key of a purpose."""
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    values = {"purpose": purpose.value, "key_name": name, "public_key": der, "created_at": transaction.now}
    transaction.connection.execute(insert(statement_key).values(**values))
    return StatementKey(name, public_key)


def find(connection: Connection, purpose: Purpose) -> StatementKey:
    """Return the key of a purpose."""
    row = connection.execute(select(statement_key).where(statement_key.c.purpose == purpose.value)).one()
    public_key = load_der_public_key(row.public_key)
    return StatementKey(row.key_name, public_key)  # type: ignore[arg-type] # what `add` was given
