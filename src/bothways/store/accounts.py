"""Local accounts and the invitations that they begin with, in the database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from bothways.store.database import Transaction
from bothways.store.schema_sign_in import account, invitation


@dataclass(frozen=True, slots=True)
class Account:
    """What a person signs in with: the argon2 hash of the password, and the sealed secret of the codes (TOTP)."""

    person_id: int
    password: str = field(repr=False)
    totp: bytes = field(repr=False)
    totp_step: int = 0
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that makes an account, once: the digest of its token, and the sealed secret that the account will have.

    `code` is the SHA-256 of what a second person adds to the link, None where one person invites.
    """

    person_id: int
    digest: str
    totp: bytes = field(repr=False)
    expires_at: datetime
    code: str | None = None


def invite(transaction: Transaction, record: Invitation) -> None:
    """Store an invitation in place of the one before."""
    withdraw_invitation(transaction, record.person_id)
    transaction.connection.execute(
        insert(invitation).values(
            person_id=record.person_id,
            digest=record.digest,
            totp=record.totp,
            expires_at=record.expires_at,
            code=record.code,
        )
    )


def invited(connection: Connection, digest: str) -> Invitation | None:
    """Return the invitation with this digest, if there is one."""
    row = connection.execute(select(invitation).where(invitation.c.digest == digest)).first()
    return Invitation(**row._mapping) if row else None  # noqa: SLF001 - the documented way to a row's columns


def add_code(transaction: Transaction, person_id: int, code: str, end: datetime) -> None:
    """Record what a second person adds to an invitation, and its new end."""
    of_person = update(invitation).where(invitation.c.person_id == person_id)
    transaction.connection.execute(of_person.values(code=code, expires_at=end))


def withdraw_invitation(transaction: Transaction, person_id: int) -> None:
    """Take a person's invitation out."""
    transaction.connection.execute(delete(invitation).where(invitation.c.person_id == person_id))


def withdraw_invitations(transaction: Transaction) -> int:
    """Take out the invitations of everybody; return how many there were."""
    return transaction.connection.execute(delete(invitation)).rowcount


def put(transaction: Transaction, record: Account) -> None:
    """Store a person's account in place of the one before."""
    remove(transaction, record.person_id)
    transaction.connection.execute(
        insert(account).values(
            person_id=record.person_id,
            password=record.password,
            totp=record.totp,
            totp_step=record.totp_step,
            failures=record.failures,
            locked_until=record.locked_until,
        )
    )


def find(connection: Connection, person_id: int) -> Account | None:
    """Return a person's account, if there is one."""
    row = connection.execute(select(account).where(account.c.person_id == person_id)).first()
    return Account(**row._mapping) if row else None  # noqa: SLF001


def with_account(connection: Connection, person_ids: list[int]) -> frozenset[int]:
    """Return those of these people who have an account."""
    return frozenset(connection.scalars(select(account.c.person_id).where(account.c.person_id.in_(person_ids))))


def remove(transaction: Transaction, person_id: int) -> None:
    """Take a person's account out."""
    transaction.connection.execute(delete(account).where(account.c.person_id == person_id))


def tried(transaction: Transaction, person_id: int, failures: int, locked_until: datetime | None) -> None:
    """Record how often in a row a person did not prove who they are, and until when they have to wait."""
    values = update(account).where(account.c.person_id == person_id)
    transaction.connection.execute(values.values(failures=failures, locked_until=locked_until))


def code_used(transaction: Transaction, person_id: int, before: int, step: int) -> bool:
    """Record that the code of these 30 seconds was used, and forget failures; False if another was faster."""
    ours = account.c.person_id == person_id, account.c.totp_step == before
    done = transaction.connection.execute(
        update(account).where(*ours).values(totp_step=step, failures=0, locked_until=None)
    )
    return done.rowcount == 1


def replace_secrets(transaction: Transaction, anew: Callable[[int, bytes], bytes]) -> int:
    """Store the secrets of all codes as `anew` makes them of a person's number and what is there; return how many."""
    count = 0
    for table in (account, invitation):
        for row in transaction.connection.execute(select(table.c.person_id, table.c.totp)).all():
            ours = table.c.person_id == row.person_id
            transaction.connection.execute(update(table).where(ours).values(totp=anew(row.person_id, row.totp)))
            count += 1
    return count
