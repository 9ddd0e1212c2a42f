"""API tokens: make one, which is shown once; list, revoke, and find out who asks with one."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import timedelta

from bothways.errors import Conflict, NotAuthorized, Refused
from bothways.findings import Finding
from bothways.operations.hub import Hub
from bothways.registry.access import Action, Principal, Role, actions_of
from bothways.store import customers, tokens
from bothways.store.tokens import StoredToken

DAYS, DAYS_MOST = 90, 397
_SECRET_BYTES = 32
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}", re.ASCII)
_USED_AGAIN = timedelta(hours=1)


def create_token(
    hub: Hub,
    name: str,
    role: Role,
    tsp_id: str | None = None,
    scopes: Iterable[Action] | None = None,
    days: int = DAYS,
    person: str = "",
) -> tuple[StoredToken, str]:
    """Make a token; return it with its secret, which is stored nowhere. `person` is who makes it, if not the actor.

    Raises `Refused` if a value is wrong, `NotFound` without that customer, `Conflict` if the name is in use.
    """
    limited = None if scopes is None else frozenset(scopes)
    if findings := tuple(_findings(name, role, tsp_id, limited, days)):
        raise Refused(findings)
    # The environment stands in front, so that people see where it belongs, and programs that look for leaks find it.
    secret = f"bothways_{hub.environment.value.lower()}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    with hub.write() as transaction:
        if tsp_id is not None:
            customers.find(transaction.connection, tsp_id)
        end = transaction.now + timedelta(days=days)
        record = tokens.add(
            transaction,
            StoredToken(0, name, role, tsp_id, limited, transaction.now, end, person=person or hub.actor),
            _digest(secret),
        )
        opens = {"role": role.value, "scopes": limited and sorted(limited), "expires": end.isoformat()}
        transaction.audit("token.add", str(record.id), customer=tsp_id, name=name, **opens)
    return record, secret


def list_tokens(
    hub: Hub, tsp_id: str | None = None, after: int = 0, limit: int | None = None
) -> tuple[StoredToken, ...]:
    """Return all tokens, or those of one customer, oldest first; so many after a number."""
    with hub.read() as connection:
        return tokens.every(connection, tsp_id, after, limit)


def page_tokens(hub: Hub, tsp_id: str | None, before: int, limit: int) -> tuple[StoredToken, ...]:
    """Return so many tokens, or of those of one customer, newest first, before a number if that is not 0."""
    with hub.read() as connection:
        return tokens.page(connection, tsp_id, before, limit)


def show_token(hub: Hub, number: int) -> StoredToken:
    """Return a token by its number. Raises `NotFound`."""
    with hub.read() as connection:
        return tokens.find(connection, number)


def revoke_token(hub: Hub, number: int, reason: str) -> StoredToken:
    """Revoke a token, and say why: it opens nothing from now on. Raises `NotFound`, `Conflict` if it was revoked."""
    with hub.write() as transaction:
        record = tokens.find(transaction.connection, number)
        if record.revoked_at is not None:
            raise Conflict(f"token {number} was revoked already, on {record.revoked_at:%Y-%m-%d %H:%M} UTC.")
        tokens.revoke(transaction, number)
        detail = {"name": record.name, "role": record.role.value, "reason": reason}
        transaction.audit("token.revoke", str(number), customer=record.tsp_id, **detail)
        return tokens.find(transaction.connection, number)


def authenticate(hub: Hub, secret: str) -> Principal:
    """Return who asks with this secret. Raises `NotAuthorized`, in the same words whatever is wrong with it.

    The tokens of a customer that was removed open nothing, nor do those of a person who was disabled; those of a
    customer that is suspended do, for it may set right why.
    """
    with hub.read() as connection:
        # 256 random bits cannot be guessed, so that a plain digest is enough, and looking it up tells nothing.
        record = tokens.by_digest(connection, _digest(secret))
        if record and record.tsp_id is not None and not customers.many(connection, (record.tsp_id,)):
            record = None
    if record and (record.revoked_at is not None or record.person_disabled):
        record = None
    if record is None or record.expires_at <= hub.now():
        raise NotAuthorized("the token is unknown, has ended or was revoked. Ask who runs the hub for a new one.")
    if record.used_at is None or hub.now() - record.used_at > _USED_AGAIN:
        with hub.write() as transaction:
            tokens.use(transaction, record.id)
    return record.principal


def _findings(
    name: str, role: Role, tsp_id: str | None, scopes: frozenset[Action] | None, days: int
) -> Iterable[Finding]:
    if not _NAME.fullmatch(name):
        message = f"the name is {name!r}; 1 to 48 small letters, digits, dots, dashes and underscores are wanted"
        yield Finding("TOKEN-01", message, "Name it after who uses it, like ci-first-bank.", "R16", "name")
    if role.of_customer != (tsp_id is not None):
        wanted = "a customer" if role.of_customer else "no customer"
        message = f"the role {role.value} goes with {wanted}"
        yield Finding("TOKEN-02", message, "Name the customer for a customer's role, and for no other.", "R4", "role")
    if scopes is not None and (beyond := sorted(scopes - actions_of(role))):
        message = f"{', '.join(beyond)} is beyond the role {role.value}"
        yield Finding("TOKEN-03", message, "Leave it out, or take a role that goes so far.", "R16", "scopes")
    if not 1 <= days <= DAYS_MOST:
        message = f"the token is to last {days} days; 1 to {DAYS_MOST} are wanted"
        yield Finding("TOKEN-04", message, "Make a new one before it ends.", "R16", "days")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
