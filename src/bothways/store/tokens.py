"""API tokens in the database: who each stands for, and the digest of its secret; never the secret."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from bothways.errors import Conflict, NotFound
from bothways.registry.access import Action, Principal, Role
from bothways.store.database import Transaction
from bothways.store.schema import token
from bothways.store.schema_people import person

# Who is disabled takes their tokens along for good, also where they are on record again, in another role.
_DISABLED = exists().where(
    or_(person.c.email == token.c.person, person.c.os_user == token.c.person),
    person.c.disabled_at >= token.c.created_at,
)
_TOKENS = select(token, _DISABLED.label("person_disabled"))


@dataclass(frozen=True, slots=True)
class StoredToken:
    """One token; `scopes` is None if nothing but its role limits it. `person` is who made it, and stands behind it.

    `person_disabled` tells that this person was disabled since: the token opens nothing any more.
    """

    id: int
    name: str
    role: Role
    tsp_id: str | None
    scopes: frozenset[Action] | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    person: str = ""
    person_disabled: bool = False

    @property
    def principal(self) -> Principal:
        """Who asks with it."""
        return Principal(f"token:{self.name}", self.role, self.tsp_id, self.scopes, self.person)

    def document(self, now: datetime) -> dict[str, object]:
        """Return the token as the JSON object that API and command line show, without anything that opens."""
        ended = "person-disabled" if self.person_disabled else "expired" if self.expires_at <= now else "valid"
        return {
            "id": self.id,
            "name": self.name,
            "role": self.role.value,
            "customer": self.tsp_id,
            "person": self.person,
            "scopes": None if self.scopes is None else sorted(each.value for each in self.scopes),
            "state": "revoked" if self.revoked_at else ended,
            "created_at": self.created_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "used_at": self.used_at and self.used_at.isoformat(),
        }


def add(transaction: Transaction, record: StoredToken, digest: str) -> StoredToken:
    """Store a token under a new number; `digest` is the SHA-256 of its secret in hex.

    Raises `Conflict` if a token of that name is valid.
    """
    living = select(token.c.id).where(
        token.c.name == record.name, token.c.revoked_at.is_(None), token.c.expires_at > transaction.now
    )
    if transaction.connection.execute(living).first():
        raise Conflict(f"there is a token {record.name} already. Revoke it first, or take another name.")
    key = transaction.connection.execute(
        insert(token).values(
            name=record.name,
            role=record.role.value,
            tsp_id=record.tsp_id,
            scopes=None if record.scopes is None else " ".join(sorted(record.scopes)),
            digest=digest,
            person=record.person,
            created_at=record.created_at,
            expires_at=record.expires_at,
        )
    ).inserted_primary_key
    return find(transaction.connection, int(key[0]) if key else 0)


def every(
    connection: Connection, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[StoredToken, ...]:
    """Return all tokens that there ever were, or those of one customer, oldest first; so many after a number."""
    query = _TOKENS.where(token.c.id > after).order_by(token.c.id).limit(limit)
    rows = connection.execute(query if tsp_id is None else query.where(token.c.tsp_id == tsp_id))
    return tuple(_token(row) for row in rows)


def page(connection: Connection, tsp_id: str | None, before: int, limit: int) -> tuple[StoredToken, ...]:
    """Return so many tokens of a customer, or of all if it is None, newest first, before a number if that is not 0."""
    query = _TOKENS.order_by(token.c.id.desc()).limit(limit)
    if tsp_id is not None:
        query = query.where(token.c.tsp_id == tsp_id)
    return tuple(_token(row) for row in connection.execute(query.where(token.c.id < before) if before else query))


def find(connection: Connection, number: int) -> StoredToken:
    """Return a token by its number. Raises `NotFound`."""
    row = connection.execute(_TOKENS.where(token.c.id == number)).first()
    if row is None:
        raise absent(number)
    return _token(row)


def absent(number: int) -> NotFound:
    """Return the error that says that there is no such token."""
    return NotFound(f"there is no token {number}.", "Look at: bothways token list")


def by_digest(connection: Connection, digest: str) -> StoredToken | None:
    """Return the token whose secret has this SHA-256, revoked and expired ones too."""
    row = connection.execute(_TOKENS.where(token.c.digest == digest)).first()
    return _token(row) if row else None


def newest(connection: Connection, name: str) -> StoredToken | None:
    """Return the token that has this name now, or had it last."""
    row = connection.execute(_TOKENS.where(token.c.name == name).order_by(token.c.id.desc()).limit(1)).first()
    return _token(row) if row else None


def use(transaction: Transaction, number: int) -> None:
    """Record that a token was used just now."""
    transaction.connection.execute(update(token).where(token.c.id == number).values(used_at=transaction.now))


def revoke(transaction: Transaction, number: int) -> None:
    """Record that a token opens nothing any more."""
    transaction.connection.execute(update(token).where(token.c.id == number).values(revoked_at=transaction.now))


def _token(row: Row[tuple[object, ...]]) -> StoredToken:
    columns = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's columns
    columns.pop("digest")
    scopes = columns.pop("scopes")
    return StoredToken(
        **columns | {"role": Role(columns["role"]), "person_disabled": bool(columns["person_disabled"])},
        scopes=None if scopes is None else frozenset(Action(each) for each in str(scopes).split()),
    )
