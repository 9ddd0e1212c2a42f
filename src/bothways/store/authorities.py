"""The hub's certificate authorities, and the certificates that it uses itself."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, Row, select, update

from bothways.pki.chain import certificate_der
from bothways.store.database import Transaction
from bothways.store.schema import authority, credential


class Role(StrEnum):
    """`issuing` signs customers' client certificates, `client` the hub's own, `server` the endpoint's.

    `node` signs both ends between the control plane and its remote nodes, and nothing that a customer ever meets.
    """

    ISSUING = "issuing"
    CLIENT = "client"
    SERVER = "server"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA of the hub, the name under which the signer keeps its key, and when it was retired.

    `link` is its name and key signed by the CA before it, if that was done (RFC 9810 section 4.4).
    """

    id: int
    certificate: x509.Certificate
    key_name: str
    retired_at: datetime | None = None
    link: x509.Certificate | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate that the hub uses itself: towards customers, as their endpoint, or towards its remote nodes.

    `used_at` is when it was put to use; None while it is tried out. `authority_id` is the CA that signed it.
    """

    id: int
    certificate: x509.Certificate
    key_name: str
    authority_id: int
    created_at: datetime
    used_at: datetime | None


def add_authority(
    transaction: Transaction,
    role: Role,
    certificate: x509.Certificate,
    key_name: str,
    link: x509.Certificate | None = None,
) -> Authority:
    """Store a new CA; the newest of a role is the one that signs, unless `operations` say otherwise."""
    number = transaction.insert(
        authority,
        created_at=transaction.now,
        role=role.value,
        certificate=certificate_der(certificate),
        key_name=key_name,
        link=certificate_der(link) if link else None,
    )
    return Authority(number, certificate, key_name, link=link)


def add_credential(
    transaction: Transaction,
    role: Role,
    certificate: x509.Certificate,
    key_name: str,
    issuer: Authority,
    *,
    used: bool = True,
) -> None:
    """Store a new certificate of the hub; the newest that is used is the one in use for its purpose."""
    der = certificate_der(certificate)
    transaction.insert(
        credential,
        created_at=transaction.now,
        purpose=role.value,
        certificate=der,
        key_name=key_name,
        authority_id=issuer.id,
        used_at=transaction.now if used else None,
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


def announced_at(connection: Connection, number: int) -> datetime:
    """Return since when the contract names a CA."""
    moment: datetime = connection.execute(select(authority.c.created_at).where(authority.c.id == number)).scalar_one()
    return moment


def every_authority(connection: Connection, role: Role | None = None) -> tuple[Authority, ...]:
    """Return all CAs that there ever were, or those of one role, newest first."""
    query = select(authority).order_by(authority.c.id.desc())
    if role is not None:
        query = query.where(authority.c.role == role.value)
    return tuple(_authority(row) for row in connection.execute(query))


def trusted(connection: Connection, role: Role) -> tuple[Authority, ...]:
    """Return the CAs of a role that are not retired, newest first."""
    return tuple(each for each in every_authority(connection, role) if each.retired_at is None)


def retire(transaction: Transaction, number: int) -> None:
    """Record that a CA is trusted no more."""
    transaction.connection.execute(update(authority).where(authority.c.id == number).values(retired_at=transaction.now))


def current_credential(connection: Connection, role: Role) -> Credential:
    """Return the certificate that the hub uses now for this purpose."""
    used = select(credential).where(credential.c.purpose == role.value, credential.c.used_at.is_not(None))
    return _credential(connection.execute(used.order_by(credential.c.id.desc()).limit(1)).one())


def used_credentials(connection: Connection, role: Role) -> tuple[Credential, ...]:
    """Return all certificates that the hub uses or has used for this purpose."""
    used = select(credential).where(credential.c.purpose == role.value, credential.c.used_at.is_not(None))
    return tuple(_credential(row) for row in connection.execute(used.order_by(credential.c.id)))


def next_credential(connection: Connection, role: Role) -> Credential | None:
    """Return the certificate that was made to follow the one in use, and is tried out before; None if there is none."""
    query = select(credential).where(credential.c.purpose == role.value).order_by(credential.c.id.desc()).limit(1)
    newest = _credential(connection.execute(query).one())
    return newest if newest.used_at is None else None


def credentials_by_id(connection: Connection, numbers: Collection[int]) -> dict[int, Credential]:
    """Return certificates of the hub by their numbers."""
    query = select(credential).where(credential.c.id.in_(numbers))
    return {row.id: _credential(row) for row in connection.execute(query)}


def put_to_use(transaction: Transaction, number: int) -> None:
    """Record that a certificate of the hub is in use from now on, in the place of the one before."""
    transaction.connection.execute(update(credential).where(credential.c.id == number).values(used_at=transaction.now))


def _credential(row: Row[Any]) -> Credential:
    certificate = x509.load_der_x509_certificate(row.certificate)
    return Credential(row.id, certificate, row.key_name, row.authority_id, row.created_at, row.used_at)


def _authority(row: Row[Any]) -> Authority:
    link = x509.load_der_x509_certificate(row.link) if row.link else None
    return Authority(row.id, x509.load_der_x509_certificate(row.certificate), row.key_name, row.retired_at, link)
