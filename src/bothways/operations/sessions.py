"""Sessions of the portal: begin, find out whose one is, list and end."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from bothways.errors import NotFound
from bothways.operations.hub import Hub
from bothways.registry.person import Person
from bothways.store import people, sessions
from bothways.store.sessions import Session

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=12)
_COOKIE_BYTES = 32
_USED_AGAIN = timedelta(minutes=1)
_BROWSER_MOST, _SOURCE_MOST = 200, 64


@dataclass(frozen=True, slots=True)
class Visit:
    """A session, and the person whose it is."""

    session: Session
    person: Person


def begin_session(hub: Hub, person: Person, source: str, browser: str, how: str) -> str:
    """Begin a session for a person who has proved who they are; return what its cookie holds, stored nowhere.

    `how` is what they proved it with, for the audit.
    """
    cookie, csrf = secrets.token_urlsafe(_COOKIE_BYTES), secrets.token_urlsafe(_COOKIE_BYTES)
    shown = "".join(each for each in browser if each.isprintable())[:_BROWSER_MOST]
    with hub.write() as transaction:
        sessions.forget(transaction, transaction.now - IDLE, transaction.now - LONGEST)
        sessions.add(transaction, person.id, _digest(cookie), csrf, source[:_SOURCE_MOST], shown)
        transaction.audit("session.begin", str(person.id), customer=person.tsp_id, email=person.email, how=how)
    return cookie


def visit_of(hub: Hub, cookie: str) -> Visit | None:
    """Return the session of a cookie and whose it is; None if it has ended, or the person was disabled meanwhile."""
    with hub.read() as connection:
        found = sessions.find(connection, _digest(cookie))
        person = people.active_by_id(connection, found.person_id) if found else None
    now = hub.now()
    if found is None or person is None or now - found.used_at > IDLE or now - found.began_at > LONGEST:
        return None
    if now - found.used_at > _USED_AGAIN:
        with hub.write() as transaction:
            sessions.use(transaction, found.id)
    return Visit(found, person)


def list_sessions(hub: Hub, person: Person) -> tuple[Session, ...]:
    """Return a person's sessions that have not ended, the last one first."""
    now = hub.now()
    with hub.read() as connection:
        found = sessions.every(connection, person.id)
    return tuple(each for each in found if now - each.used_at <= IDLE and now - each.began_at <= LONGEST)


def end_session(hub: Hub, person: Person, number: int) -> None:
    """End a session of a person. Raises `NotFound` if they have none of that number."""
    with hub.write() as transaction:
        if not sessions.end(transaction, person.id, number):
            raise NotFound(f"there is no session {number} of yours. Look at the list of your sessions.")
        transaction.audit("session.end", str(person.id), customer=person.tsp_id, email=person.email)


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode(errors="surrogatepass")).hexdigest()
