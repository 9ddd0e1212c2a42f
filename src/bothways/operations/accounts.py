"""Local accounts: invite a person, accept the invitation, and prove by password and code who one is.

Whatever is wrong is told in the same words and after the same work, so that nobody learns who has an account.
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bothways.errors import Conflict, NotAuthorized, Refused
from bothways.findings import Finding
from bothways.operations import two_people
from bothways.operations.hub import Hub
from bothways.operations.two_people import AtHost
from bothways.registry.access import decides
from bothways.registry.person import Person
from bothways.store import accounts, passkeys, people, proposals, sealed_keys, sessions
from bothways.store.accounts import Account, Invitation
from bothways.store.database import Transaction
from bothways.store.proposals import Kind

INVITATION = timedelta(days=3)
FAILURES_MOST, LOCKED = 5, timedelta(minutes=15)
PASSWORD_LEAST, PASSWORD_MOST = 12, 200
_TOKEN_BYTES = 32
_STEP = 30
_WINDOW = 1
"""Steps of 30 seconds by which a phone's clock may be off (RFC 6238 section 5.2)."""

_hasher = PasswordHasher()
_SALT, _DIGEST = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in (16, 32))
_NOBODY = f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}${_SALT}${_DIGEST}"
"""A hash of no password, which takes as long to try as any. It is written down, since making one takes as long."""
_REFUSED = "e-mail address, password or code is wrong, or there were too many wrong ones: then wait 15 minutes."
_LINK = "the invitation is unknown, has ended or was used. Ask who invited you for a new one."
_WAITS = (
    "the invitation opens when a second person of the hub has confirmed it. Ask who invited you, and try again then."
)
_SECOND = (
    "the invitation opens with the code of the second person, who confirmed it. Ask them for it: who sent you the link "
    "does not have it."
)


def invite_person(hub: Hub, number: int, at_host: AtHost | None = None) -> tuple[Person, str, datetime]:
    """Make a person's invitation, in place of the one before; return them, its token and its end.

    What they signed in with before opens nothing any more, and their sessions end: this is also how a lost password or
    authenticator is replaced. Of who decides it waits for a second person, where it takes two; until then all stays as
    it was. Raises `NotFound`, `Conflict` if they are disabled.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    version = hub.keys.version
    sealed = hub.keys.seal(pyotp.random_base32().encode(), place_of(number))
    with hub.write() as transaction:
        sealed_keys.require_version(transaction.connection, version)
        person = people.find(transaction.connection, number)
        if not person.proposed_by and people.active_by_id(transaction.connection, number) is None:
            raise Conflict(f"{person.email} is disabled, and cannot be invited. Add the person again.")
        end = transaction.now + INVITATION
        accounts.invite(transaction, Invitation(number, digest(token), sealed, end))
        # Of who waits themselves, only a reason makes it enough.
        host = at_host if at_host and (at_host.reason or not person.proposed_by) else None
        decider = decides(person.role)
        enough = two_people.one_is_enough(hub, transaction.connection, host, signing_in=True) if decider else {}
        if enough is None:
            two_people.proposed(hub, transaction, Kind.SIGN_IN, number, email=person.email)
        else:
            proposals.settle(transaction, Kind.SIGN_IN, number)
            reset_sign_in(transaction, number)
            transaction.audit("person.invite", str(number), customer=person.tsp_id, email=person.email, **enough)
        person = people.find(transaction.connection, number)
    return person, token, end


def reset_sign_in(transaction: Transaction, number: int) -> None:
    """Let what a person signed in with open nothing any more, and end their sessions."""
    accounts.remove(transaction, number)
    passkeys.remove(transaction, number)
    sessions.end(transaction, number)


def invitation(hub: Hub, number: int, at_host: AtHost | None = None) -> dict[str, Any]:
    """Make a person's invitation; return it as the JSON object that API and command line show. Raises as above."""
    person, token, end = invite_person(hub, number, at_host)
    link = f"{hub.terms.portal}/invitation/{token}"
    return person.document() | {"link": link, "expires_at": end.isoformat()}


def invited_person(hub: Hub, token: str) -> tuple[Person, str]:
    """Return whom an invitation is for, and the secret for their authenticator app.

    A code of a second person follows the token after a dot. Raises `NotAuthorized`, without that code too.
    """
    link, _, code = token.partition(".")
    with hub.read() as connection:
        known = accounts.invited(connection, digest(link))
        person = people.find(connection, known.person_id) if known else None
        waits = person is not None and bool(person.proposed_by or person.sign_in_proposed_by)
        active = person is not None and people.active_by_id(connection, person.id) is not None
    if known is None or person is None or known.expires_at <= hub.now() or not (waits or active):
        raise NotAuthorized(_LINK)
    if waits:
        raise NotAuthorized(_WAITS)
    if known.code is not None and not hmac.compare_digest(known.code, digest(plain_code(code))):
        raise NotAuthorized(_SECOND)
    return person, hub.keys.unseal(known.totp, place_of(person.id)).decode()


def wants_code(hub: Hub, token: str) -> bool:
    """Tell whether an invitation opens only with the code of the second person, who confirmed it."""
    with hub.read() as connection:
        known = accounts.invited(connection, digest(token.partition(".")[0]))
    return known is not None and known.code is not None


def plain_code(code: str) -> str:
    """Return a second person's code as it is digested, however it was typed."""
    return "".join(each for each in code.upper() if each.isascii() and each.isalnum())


def accept_invitation(hub: Hub, token: str, password: str, code: str) -> Person:
    """Make the account of an invited person, which uses the invitation up.

    Raises `NotAuthorized` without a good invitation, `Refused` if the password is weak or the code wrong.
    """
    person, secret = invited_person(hub, token)
    step = _step_of(secret, code, hub.now(), -1)
    if findings := (*_password_findings(password, person), *([_CODE] if step is None else [])):
        raise Refused(findings)
    hashed = _hasher.hash(password)
    with hub.write() as transaction:
        known = accounts.invited(transaction.connection, digest(token.partition(".")[0]))
        if known is None:
            raise NotAuthorized(_LINK)
        accounts.withdraw_invitation(transaction, person.id)
        accounts.put(transaction, Account(person.id, hashed, known.totp, step or 0))
        transaction.audit("person.accept", str(person.id), customer=person.tsp_id, email=person.email)
    return person


def totp_address(hub: Hub, person: Person, secret: str) -> str:
    """Return the address that an authenticator app opens; each environment has an entry of its own there."""
    return pyotp.TOTP(secret).provisioning_uri(
        name=person.email, issuer_name=f"{hub.terms.hub} {hub.environment.value}"
    )


def current_code(secret: str, now: datetime) -> str:
    """Return the code that an authenticator app shows for a secret."""
    return pyotp.TOTP(secret).at(now)


def prove_person(hub: Hub, email: str, password: str, code: str) -> Person:
    """Return the person who signs in with password and code; five failures in a row lock the account for 15 minutes.

    Raises `NotAuthorized`.
    """
    with hub.read() as connection:
        person = people.active(connection, email.lower())
        known = accounts.find(connection, person.id) if person else None
    right = _verified(known.password if known else _NOBODY, password)
    if person is None or known is None or (known.locked_until and hub.now() < known.locked_until):
        # As much work as to open the secret of the codes, which most of the time would tell who has an account.
        hub.keys.seal(b"", "nobody")
        raise NotAuthorized(_REFUSED)
    secret = hub.keys.unseal(known.totp, place_of(person.id)).decode()
    step = _step_of(secret, code, hub.now(), known.totp_step)
    with hub.write() as transaction:
        done = right and step is not None and accounts.code_used(transaction, person.id, known.totp_step, step)
        if not done:
            _failed(hub, transaction, person)
    if not done:
        raise NotAuthorized(_REFUSED)
    return person


def signing_in(hub: Hub, numbers: list[int]) -> frozenset[int]:
    """Return those of these people who have an account."""
    with hub.read() as connection:
        return accounts.with_account(connection, numbers)


def _failed(hub: Hub, transaction: Transaction, person: Person) -> None:
    # Read again, so that those who try at once are all counted.
    current = accounts.find(transaction.connection, person.id)
    failures = (current.failures if current else 0) + 1
    locked = failures >= FAILURES_MOST
    accounts.tried(transaction, person.id, 0 if locked else failures, hub.now() + LOCKED if locked else None)
    if locked:
        reason = f"{failures} attempts to sign in failed"
        transaction.audit("person.lock", str(person.id), customer=person.tsp_id, email=person.email, reason=reason)


def _verified(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:PASSWORD_MOST]) and len(password) <= PASSWORD_MOST
    except (VerificationError, InvalidHashError):
        return False


def _step_of(secret: str, code: str, now: datetime, last: int) -> int | None:
    """Return the 30 seconds that a code is of, if they are these or the ones beside them, and were not used yet."""
    current, typed = int(now.timestamp()) // _STEP, "".join(code.split())
    codes = pyotp.TOTP(secret)
    found = None
    for step in range(current - _WINDOW, current + _WINDOW + 1):
        if hmac.compare_digest(codes.at(step * _STEP), typed.encode("ascii", "replace").decode()) and step > last:
            found = step
    return found


def _password_findings(password: str, person: Person) -> tuple[Finding, ...]:
    wrong = []
    if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
        wrong.append(f"the password has {len(password)} characters; {PASSWORD_LEAST} to {PASSWORD_MOST} are wanted")
    if len(set(password)) < PASSWORD_LEAST // 2 or person.email.partition("@")[0] in password.lower():
        wrong.append("the password is easy to guess: few different characters, or one's own name")
    hint = "Take a sentence of several words, or what a password manager makes."
    return tuple(Finding("ACCOUNT-PASSWORD", each, hint, "NIST SP 800-63B section 3.1.1", "password") for each in wrong)


def place_of(number: int) -> str:
    """Return the place that a person's secret is sealed for."""
    return f"the codes of person {number}"


def digest(token: str) -> str:
    """Return what of a token or code is stored."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


_CODE = Finding(
    "ACCOUNT-CODE",
    "the code is not the one that the app shows now for the key on this page",
    "Enter the key in the app again, look whether the phone's clock is right, and type the code that it shows.",
    "RFC 6238",
    "code",
)
