"""What takes two people about people: who is to decide, and how they sign in; the second one confirms or refuses.

Otherwise one person is two, by putting a second one on record that is really themselves. Of an invitation the first
person has the link and the second the code, so that neither can take it up alone. The machine of the hub is the way in
and out: there the first two people are named, and there one person does it alone, with a reason that the audit has.
"""

import base64
import secrets
from collections.abc import Iterable

from sqlalchemy import Connection

from bothways.errors import Conflict, NotAuthorized
from bothways.operations import two_people
from bothways.operations.accounts import INVITATION, digest, reset_sign_in
from bothways.operations.hub import Hub
from bothways.registry.access import Action, actions_of
from bothways.registry.person import Person
from bothways.store import accounts, people, proposals
from bothways.store.database import Transaction
from bothways.store.proposals import Kind, Proposal

_CODE_BYTES = 10


def waiting_people(hub: Hub) -> tuple[Person, ...]:
    """Return whose place on record, or invitation, waits for a second person."""
    with hub.read() as connection:
        return people.waiting(connection)


def own_proposals(hub: Hub, found: Iterable[Person]) -> frozenset[int]:
    """Return the numbers of those about whom the actor proposed what waits, so that somebody else confirms it."""
    with hub.read() as connection:
        actor = two_people.person_of(connection, hub.actor)
        names = {each.id: {name for name in (each.proposed_by, each.sign_in_proposed_by) if name} for each in found}
        makers = {name: two_people.person_of(connection, name) for name in set[str]().union(*names.values())}
    return frozenset(number for number, each in names.items() if actor in {makers[name] for name in each})


def confirm_person(hub: Hub, number: int) -> tuple[Person, str | None]:
    """Confirm who was put on record, or the invitation that was made for them, or both.

    Returns the person, and the code that goes with the link which the first one has; None if no invitation waits. With
    the invitation, what they signed in with before opens nothing any more. Raises `NotFound`, `Conflict` if nothing
    waits, `NotAuthorized` for who proposed it or decides about nothing.
    """
    code = None
    with hub.write() as transaction:
        person = people.find(transaction.connection, number)
        about = f"person {number}"
        found = {kind: _proposal(transaction.connection, kind, number) for kind in (Kind.PERSON, Kind.SIGN_IN)}
        if person.disabled_at is not None or not any(found.values()):
            raise Conflict(f"nothing about {about} waits for a second person.", "Look at: bothways person list")
        for kind, proposal in found.items():
            if proposal is not None:
                _require_second(hub, transaction.connection, kind, proposal, about)
        if added := found[Kind.PERSON]:
            proposals.settle(transaction, Kind.PERSON, number)
            detail = {"email": person.email, "name": person.name, "role": person.role.value, "os_user": person.os_user}
            known = two_people.on_record(added.person)
            transaction.audit("person.add", str(number), customer=person.tsp_id, **detail, **known)
        if invited := found[Kind.SIGN_IN]:
            code = _open_invitation(transaction, person, invited)
        return people.find(transaction.connection, number), code


def refuse_person(hub: Hub, number: int, reason: str) -> Person:
    """Refuse who was put on record, who is disabled by that, or the invitation that was made; and say why.

    Who proposed it may too. Raises `NotFound`, `Conflict` if nothing waits.
    """
    with hub.write() as transaction:
        person = people.find(transaction.connection, number)
        if person.disabled_at is not None or not (person.proposed_by or person.sign_in_proposed_by):
            raise Conflict(f"nothing about person {number} waits for a second person.", "Look at: bothways person list")
        proposals.settle(transaction, Kind.PERSON, number)
        proposals.settle(transaction, Kind.SIGN_IN, number)
        if person.proposed_by:
            people.disable(transaction, number)
        if person.sign_in_proposed_by:
            accounts.withdraw_invitation(transaction, number)
        what = "person" if person.proposed_by else "sign-in"
        detail = {"email": person.email, "role": person.role.value, "what": what, "reason": reason}
        transaction.audit("person.refuse", str(number), customer=person.tsp_id, **detail)
        return people.find(transaction.connection, number)


def _proposal(connection: Connection, kind: Kind, number: int) -> Proposal | None:
    return proposals.many(connection, kind, (number,)).get(number)


def _require_second(hub: Hub, connection: Connection, kind: Kind, proposal: Proposal, about: str) -> None:
    """Raise `NotAuthorized` unless the actor is another person on record than who proposed it, and decides."""
    if not two_people.required(hub):
        return
    name = two_people.person_of(connection, hub.actor)
    second = people.active(connection, name) if name else None
    if second is None or second.tsp_id is not None or Action.PERSON_DECIDE not in actions_of(second.role):
        raise NotAuthorized(
            f"{hub.actor} is nobody on record who decides, and {about} takes such a person. "
            f"{two_people.seconds_in(connection, kind, name or '')}"
        )
    if second.email == two_people.person_of(connection, proposal.person):
        raise two_people.alone(about, proposal, two_people.seconds_in(connection, kind, second.email))


def _open_invitation(transaction: Transaction, person: Person, proposal: Proposal) -> str:
    """Let the link open with a new code, and what was before no more; return the code."""
    proposals.settle(transaction, Kind.SIGN_IN, person.id)
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
    reset_sign_in(transaction, person.id)
    accounts.add_code(transaction, person.id, digest(text), transaction.now + INVITATION)
    known = two_people.on_record(proposal.person)
    transaction.audit("person.invite", str(person.id), customer=person.tsp_id, email=person.email, **known)
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
