"""People: add, list, show, disable. How they sign in is another matter; what they may do, their role says."""

from bothways.errors import Conflict, Refused
from bothways.operations import two_people
from bothways.operations.hub import Hub
from bothways.operations.two_people import AtHost
from bothways.registry.access import Role, decides
from bothways.registry.person import Person, person_findings
from bothways.store import customers, people, proposals
from bothways.store.proposals import Kind


def add_person(
    hub: Hub,
    email: str,
    name: str,
    role: Role,
    tsp_id: str | None = None,
    os_user: str | None = None,
    at_host: AtHost | None = None,
) -> Person:
    """Put a person on record. Who has another role later is disabled, and added again: so the audit reads straight.

    Who is to decide waits for a second person, where it takes two: then that is on record, and `Proposed` raised.
    Raises `Refused` if a value is wrong, `NotFound` without that customer, `Conflict` if the address is on record.
    """
    email = email.lower()
    if findings := tuple(person_findings(email, name, role, tsp_id, os_user)):
        raise Refused(findings)
    with hub.write() as transaction:
        if tsp_id is not None:
            customers.find(transaction.connection, tsp_id)
        enough = two_people.one_is_enough(hub, transaction.connection, at_host) if decides(role) else {}
        added = people.add(transaction, email, name.strip(), role, tsp_id, os_user)
        detail = {"email": email, "name": added.name, "role": role.value, "os_user": os_user}
        if enough is None:
            waits = two_people.proposed(hub, transaction, Kind.PERSON, added.id, **detail)
        else:
            transaction.audit("person.add", str(added.id), customer=tsp_id, **detail, **enough)
    if enough is None:
        raise waits
    return added


def list_people(hub: Hub, tsp_id: str | None = None, after: int = 0, limit: int | None = None) -> tuple[Person, ...]:
    """Return all people, or those of one customer, oldest first, after a number; disabled ones too."""
    with hub.read() as connection:
        return people.every(connection, tsp_id, after, limit)


def show_person(hub: Hub, number: int) -> Person:
    """Return a person. Raises `NotFound`."""
    with hub.read() as connection:
        return people.find(connection, number)


def active_person(hub: Hub, email: str) -> Person | None:
    """Return the person with this e-mail address who may come in now: not disabled, nor of a removed customer."""
    with hub.read() as connection:
        return people.active(connection, email.lower())


def disable_person(hub: Hub, number: int, reason: str) -> Person:
    """Let a person in no more, by sign-in or token, and say why.

    Raises `NotFound`, `Conflict` if they are disabled already.
    """
    with hub.write() as transaction:
        known = people.find(transaction.connection, number)
        if known.disabled_at is not None:
            raise Conflict(f"person {number} was disabled already, on {known.disabled_at:%Y-%m-%d %H:%M} UTC.")
        people.disable(transaction, number)
        for kind in (Kind.PERSON, Kind.SIGN_IN):
            proposals.settle(transaction, kind, number)
        detail = {"email": known.email, "role": known.role.value, "reason": reason}
        transaction.audit("person.disable", str(number), customer=known.tsp_id, **detail)
        return people.find(transaction.connection, number)
