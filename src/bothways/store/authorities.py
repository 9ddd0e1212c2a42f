"""The hub's certificate authorities, and the certificates that it uses itself."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, Row, select

from bothways.pki.chain import certificate_der
from bothways.store.database import Transaction
from bothways.store.schema import authority, credential


class Role(StrEnum):
    """`issuing` signs customers' client certificates, `client` the hub's own, `server` the endpoint's."""

    ISSUING = "issuing"
    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA of the hub, and the name under which the signer keeps its key."""

    id: int
    certificate: x509.Certificate
    key_name: str


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate that the hub uses itself, towards customers (`client`) or as their endpoint (`server`)."""

    id: int
    certificate: x509.Certificate
    key_name: str


def add_authority(transaction: Transaction, role: Role, certificate: x509.Certificate, key_name: str) -> Authority:
    """Store a new CA; the newest of a role is the one that signs."""
    number = transaction.insert(
        authority,
        created_at=transaction.now,
        role=role.value,
        certificate=certificate_der(certificate),
        key_name=key_name,
    )
    return Authority(number, certificate, key_name)


def add_credential(
    transaction: Transaction, role: Role, certificate: x509.Certificate, key_name: str, issuer: Authority
) -> None:
    """Store a new certificate of the hub; the newest of a purpose is the one in use."""
    der = certificate_der(certificate)
    transaction.insert(
        credential,
        created_at=transaction.now,
        purpose=role.value,
        certificate=der,
        key_name=key_name,
        authority_id=issuer.id,
    )


def signing_authority(connection: Connection, role: Role) -> Authority:
    """Return the CA that signs for this role now."""
    row = connection.execute(
        select(authority).where(authority.c.role == role.value).order_by(authority.c.id.desc()).limit(1)
    ).one()
    return _authority(row)


def authority_by_id(connection: Connection, number: int) -> Authority:
    """Return one CA."""
    return _authority(connection.execute(select(authority).where(authority.c.id == number)).one())


def every_authority(connection: Connection, role: Role | None = None) -> tuple[Authority, ...]:
    """Return all CAs, or those of one role, newest first."""
    query = select(authority).order_by(authority.c.id.desc())
    if role is not None:
        query = query.where(authority.c.role == role.value)
    return tuple(_authority(row) for row in connection.execute(query))


def current_credential(connection: Connection, role: Role) -> Credential:
    """Return the certificate that the hub uses now for this purpose."""
    row = connection.execute(
        select(credential).where(credential.c.purpose == role.value).order_by(credential.c.id.desc()).limit(1)
    ).one()
    return Credential(row.id, x509.load_der_x509_certificate(row.certificate), row.key_name)


def _authority(row: Row[Any]) -> Authority:
    return Authority(row.id, x509.load_der_x509_certificate(row.certificate), row.key_name)
