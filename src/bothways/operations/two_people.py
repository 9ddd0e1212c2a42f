"""What takes two different people: a signature, an endorsement, another host of a customer, and naming who decides.

The first proposes: who handed the thing in for the customer, or else who approved it first. The second is another one,
and confirms what was proposed, as it was proposed. Both are the hub's people: a customer's person is neither. Who
somebody is follows from the name that the audit has: a token is the person who made it, and a user of the hub's machine
is the person who is on record with it. Who can write into the hub's directory holds its keys: against them the rule is
no barrier; what they do stands in the audit.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from bothways.contract.document import Environment
from bothways.errors import BothwaysError, NotAuthorized, Proposed
from bothways.operations.hub import Hub
from bothways.operations.settings import TwoPeople
from bothways.registry.access import Action, actions_of, decides
from bothways.store import accounts, people, proposals, tokens
from bothways.store.audit import Line
from bothways.store.database import Transaction
from bothways.store.proposals import Kind, Proposal

BY_EST = "est:"
"""Before the tspId, in the audit: a customer's own software, which enrolls and renews."""
_NAMED_MOST = 3
_APPROVED = {Kind.REQUEST, Kind.CHAIN, Kind.ENDPOINT}
_ACTIONS = {
    Kind.REQUEST: Action.REQUEST_DECIDE,
    Kind.CHAIN: Action.CHAIN_DECIDE,
    Kind.ENDPOINT: Action.ENDPOINT_DECIDE,
    Kind.PERSON: Action.PERSON_DECIDE,
    Kind.SIGN_IN: Action.PERSON_DECIDE,
}
_FEW = 2
"""So many who decide are named at the hub's machine by one person: before them there is nobody who could confirm."""


@dataclass(frozen=True, slots=True)
class AtHost:
    """The command line of the hub's own machine; with a `reason`, one person does there alone what takes two."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What becomes of each number that somebody approves: confirmed, with who proposed it, or what stands against it.

    Who proposed it is empty where one person is enough. `against` has `Proposed` for what a second person has to
    confirm now, and `NotAuthorized` for who was the first.
    """

    confirmed: Mapping[int, str]
    against: Mapping[int, BothwaysError]


def required(hub: Hub) -> bool:
    """Tell whether two people are wanted in this hub."""
    wanted = hub.settings.two_people
    return wanted is TwoPeople.ALWAYS or (wanted is TwoPeople.PRODUCTION and hub.environment is Environment.PRD)


def one_is_enough(
    hub: Hub, connection: Connection, at_host: AtHost | None, *, signing_in: bool = False
) -> dict[str, str] | None:
    """Return why one person is enough to name who decides, as the audit has it; None if it takes a second one.

    With `signing_in`, those alone are counted who have an account.
    """
    if not required(hub):
        return {}
    if at_host is None:
        return None
    if at_host.reason:
        return {"alone": at_host.reason}
    there = [each.id for each in people.of_hub(connection) if decides(each.role)]
    if len(accounts.with_account(connection, there) if signing_in else there) < _FEW:
        return {"alone": "there are not two yet who could"}
    return None


def proposed(hub: Hub, transaction: Transaction, kind: Kind, number: int, **detail: object) -> Proposed:
    """Record that the actor proposes this about people; return what tells them so.

    Raises `NotAuthorized` if the actor is nobody of the hub.
    """
    person = person_of(transaction.connection, hub.actor)
    if person is None:
        raise NotAuthorized(f"{hub.actor} is nobody of the hub, and names nobody who decides. Ask who runs the hub to.")
    proposals.put(transaction, kind, (number,), person)
    transaction.audit(f"{kind.value}.propose", str(number), customer=None, person=person, **detail)
    return first(kind, number, person, transaction.now, seconds_in(transaction.connection, kind, person))


def proposal_of(hub: Hub, kind: Kind, number: int) -> Proposal | None:
    """Return what is proposed about a thing, if that still matters."""
    if not required(hub):
        return None
    with hub.read() as connection:
        return proposals.many(connection, kind, (number,)).get(number)


def proposers(hub: Hub, kind: Kind, numbers: Collection[int]) -> dict[int, tuple[str, bool]]:
    """Return who has proposed each of these, and whether that is the actor; nothing where one person is enough."""
    if not (required(hub) and numbers):
        return {}
    with hub.read() as connection:
        known, own = proposals.many(connection, kind, numbers), person_of(connection, hub.actor)
        mine = {name: person_of(connection, name) == own for name in {each.person for each in known.values()}}
    return {number: (each.person, mine[each.person]) for number, each in known.items()}


def is_own(hub: Hub, proposal: Proposal) -> bool:
    """Tell whether the actor is who proposed it."""
    with hub.read() as connection:
        return person_of(connection, hub.actor) == person_of(connection, proposal.person)


def seconds(hub: Hub, kind: Kind) -> str:
    """Return the sentence that says who can confirm what the actor proposes."""
    with hub.read() as connection:
        return seconds_in(connection, kind, person_of(connection, hub.actor) or "")


def proposal_document(hub: Hub, kind: Kind, number: int) -> dict[str, object]:
    """Return `proposed` for the JSON object of a thing: by whom, when and how; null while nobody has."""
    known = proposal_of(hub, kind, number)
    return {"proposed": known.document() if known else None}


def handed_in(hub: Hub, transaction: Transaction, kind: Kind, number: int) -> None:
    """Note that who hands in a thing has proposed it, if they are of the hub."""
    if required(hub) and (person := person_of(transaction.connection, hub.actor)):
        proposals.put(transaction, kind, (number,), person)


def judge(
    hub: Hub,
    transaction: Transaction,
    kind: Kind,
    owners: Mapping[int, str],
    terms: Mapping[str, object] | None = None,
) -> Verdicts:
    """Record that the actor approves these, each of a customer; return what becomes of each.

    `terms` are how: who confirms something else than what was proposed has proposed that. Raises `NotAuthorized` if the
    actor is nobody of the hub.
    """
    if not required(hub):
        return waived(hub, transaction, kind, owners)
    connection = transaction.connection
    person = person_of(connection, hub.actor)
    if person is None:
        raise NotAuthorized(f"{hub.actor} is nobody of the hub, and cannot approve. Ask who runs the hub to.")
    said = json.dumps(terms, sort_keys=True) if terms else ""
    known = proposals.many(connection, kind, owners)
    # Once for each who proposed: whoever they are by now.
    makers = {name: person_of(connection, name) or name for name in {each.person for each in known.values()}}
    others = seconds_in(connection, kind, person)
    confirmed: dict[int, str] = {}
    against: dict[int, BothwaysError] = {}
    new = []
    for number in owners:
        earlier = known.get(number)
        if earlier and makers[earlier.person] != person and earlier.terms in {"", said}:
            confirmed[number] = earlier.person
        elif earlier and makers[earlier.person] == person and earlier.terms == said:
            against[number] = alone(f"{kind.value} {number}", earlier, others)
        else:
            new.append(number)
            against[number] = first(kind, number, person, transaction.now, others)
    proposals.put(transaction, kind, new, person, said)
    transaction.audit_all(
        Line(f"{kind.value}.propose", str(number), {"customer": owners[number], "person": person, **(terms or {})})
        for number in new
    )
    return Verdicts(confirmed, against)


def waived(_hub: Hub, _transaction: Transaction, _kind: Kind, owners: Mapping[int, str]) -> Verdicts:
    """Return what `judge` does where one person is enough."""
    return Verdicts(dict.fromkeys(owners, ""), {})


def judge_one(
    hub: Hub, transaction: Transaction, kind: Kind, number: int, owner: str, terms: Mapping[str, object] | None = None
) -> str | Proposed:
    """Return who proposed what the actor confirms, empty if one person is enough, or that it is proposed now.

    `Proposed` is to be raised once the transaction is over, so that it stays. Raises `NotAuthorized` as `judge` tells.
    """
    verdicts = judge(hub, transaction, kind, {number: owner}, terms)
    if number in verdicts.confirmed:
        return verdicts.confirmed[number]
    error = verdicts.against[number]
    if isinstance(error, Proposed):
        return error
    raise error


def on_record(proposed_by: str) -> dict[str, object]:
    """Return what the audit says of the first person beside the second, who is its actor."""
    return {"proposed_by": proposed_by} if proposed_by else {}


def person_of(connection: Connection, actor: str) -> str | None:
    """Return who acts: the e-mail address of a person on record, else the name as it is; None for nobody of the hub."""
    if actor.startswith(BY_EST):
        return None
    if actor.startswith("token:"):
        token = tokens.newest(connection, actor.removeprefix("token:"))
        return None if token is None or token.tsp_id is not None else person_of(connection, token.person)
    # Who was disabled is still the same person: they are nobody's second, least of all their own.
    person = people.by_name(connection, actor)
    if person is None:
        return actor
    return person.email if person.tsp_id is None else None


def seconds_in(connection: Connection, kind: Kind, person: str) -> str:
    """Return the sentence that says who else there is."""
    may = [
        f"{each.name} ({each.email})"
        for each in people.of_hub(connection)
        if each.email != person and _ACTIONS[kind] in actions_of(each.role)
    ]
    if not may:
        return (
            "Nobody else is on record who may. On the hub's machine, one can be added alone: "
            "bothways person add EMAIL --role reviewer --name NAME --alone REASON"
        )
    named = ", ".join(may[:_NAMED_MOST])
    return (
        f"{named}{' or others' if len(may) > _NAMED_MOST else ''} can confirm it"
        f"{', by approving it too' if kind in _APPROVED else ''}."
    )


def first(kind: Kind, number: int, person: str, at: datetime, seconds: str) -> Proposed:
    """Return what tells the first person that it is on record, and waits."""
    said = (
        f"{kind.value} {number} is proposed in the name of {person}, and takes effect when another person confirms "
        f"it. {seconds}"
    )
    return Proposed(kind.value, number, person, at, said)


def alone(about: str, known: Proposal, seconds: str) -> NotAuthorized:
    """Return the error for who confirms what they proposed themselves."""
    return NotAuthorized(
        f"{about} was proposed on {known.at:%Y-%m-%d %H:%M} UTC by {known.person}, the same "
        f"person, and takes two different ones in this hub. {seconds}"
    )
