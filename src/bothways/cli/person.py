"""`bothways person`: add, invite, list, confirm, refuse, disable."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.arguments import PersonNumber
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Why, minute, result, table, tell
from bothways.errors import Unusable
from bothways.operations import people
from bothways.operations.hub import Hub
from bothways.operations.two_people import AtHost
from bothways.registry.access import Role

Alone = Annotated[
    str,
    Parameter(
        help="Why one person does it alone where it takes two; on the hub's own machine, and the audit has it.",
        show_default=False,
    ),
]


def add(
    email: Annotated[str, Parameter(help="The e-mail address.")],
    *,
    name: Annotated[str, Parameter(help="The name, as the person writes it.")],
    role: Annotated[Role, Parameter(help="What the person may do.")],
    customer: Annotated[str | None, Parameter(help="The tspId, for a customer's role.")] = None,
    os_user: Annotated[
        str | None, Parameter(help="The user that this person is on the hub's own machine, as `id -un` prints it.")
    ] = None,
    alone: Alone = "",
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Put a person on record, who can then be invited to sign in. The e-mail address is their name in the audit.

    Where it takes two people, as in production, an operator or reviewer waits until a second person confirms it. On the
    hub's own machine the first two are on record at once.
    """
    _require_machine(where, alone)
    with asked(where) as at:
        body = {"email": email, "name": name, "role": role.value, "customer": customer, "os_user": os_user}
        document = at.change(
            lambda hub: dict(people.add_person(hub, email, name, role, customer, os_user, AtHost(alone)).document()),
            "POST",
            ("people",),
            body,
        )
        text = f"{document['email']} is on record as person {document['id']}, {role.value}."
        result(document, text, as_json=json)
        return OK


def invite(number: PersonNumber, *, alone: Alone = "", where: Where = DEFAULT, json: Json = False) -> int:
    """Print a link with which a person makes their account for the portal: once, within three days.

    What they signed in with before opens nothing any more: this replaces a lost password or authenticator too. Where it
    takes two people, the link of an operator or reviewer opens when a second person confirms it, who has a code for it.
    """
    _require_machine(where, alone)

    def local(hub: Hub) -> Document:
        from bothways.operations.accounts import invitation  # noqa: PLC0415 - argon2 and the codes, for this alone

        return invitation(hub, number, AtHost(alone))

    with asked(where) as at:
        document = at.change(local, "POST", ("people", number, "invite"))
        result(document, document["link"], as_json=json)
        end = minute(document["expires_at"])
        tell(f"Hand this link to {document['email']} alone. It works once, until {end} UTC.")
        if document["sign_in_proposed_by"]:
            confirming = f"bothways person confirm {number} {where.option}"
            tell(f"It does not open yet: another person confirms it, and has a code that goes with it: {confirming}")
        return OK


def confirm(number: PersonNumber, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Confirm, as the second person, what waits about a person: that they are on record, or their invitation, or both.

    For an invitation it prints a code. The link, which the first person has, opens with that alone.
    """

    def local(hub: Hub) -> Document:
        from bothways.operations.second_person import confirm_person  # noqa: PLC0415 - argon2 and the codes, as above

        person, code = confirm_person(hub, number)
        return person.document() | {"code": code}

    with asked(where) as at:
        document = at.change(local, "POST", ("people", number, "confirm"))
        result(document, document["code"] or f"{document['email']} is confirmed.", as_json=json)
        if document["code"]:
            tell(f"Hand this code to {document['email']} alone, by a way of your own: it opens the invitation, once.")
        return OK


def refuse(number: PersonNumber, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Refuse who was put on record, or their invitation, while it waits for a second person."""

    def local(hub: Hub) -> Document:
        from bothways.operations.second_person import refuse_person  # noqa: PLC0415 - as above

        return refuse_person(hub, number, reason).document()

    with asked(where) as at:
        document = at.change(local, "POST", ("people", number, "refuse"), {"reason": reason})
        result(document, f"What waited about {document['email']} is refused.", as_json=json)
        return OK


def list_(
    *,
    customer: Annotated[str | None, Parameter(help="The tspId of one customer.")] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """List people, those that were disabled too."""
    with asked(where) as at:
        documents = at.every(
            lambda hub: [dict(each.document()) for each in people.list_people(hub, customer)],
            ("people",),
            customer=customer,
        )
        heads = ("id", "email", "name", "role", "customer", "os_user", "state")
        rows = [(*(each[head] for head in heads[:-1]), _state(each)) for each in documents]
        result(documents, table(rows, tuple(head.upper().replace("_", " ") for head in heads)), as_json=json)
        return OK


def disable(number: PersonNumber, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Let a person in no more, by sign-in or by token. They stay on record, for the audit names them."""
    with asked(where) as at:
        document = at.change(
            lambda hub: dict(people.disable_person(hub, number, reason).document()),
            "POST",
            ("people", number, "disable"),
            {"reason": reason},
        )
        result(document, f"{document['email']} is disabled.", as_json=json)
        return OK


def _state(document: Document) -> str:
    """Return how a person stands, and what waits for a second person: what it is, and who proposed it."""
    waits = {"addition": document["proposed_by"], "invitation": document["sign_in_proposed_by"]}
    return ", ".join([document["state"], *(f"{what} by {who} waits" for what, who in waits.items() if who)])


def _require_machine(where: Where, alone: str) -> None:
    if alone and where.elsewhere() is not None:
        raise Unusable(
            "--alone is for the hub's own machine. Name its directory there, or have a second person confirm."
        )
