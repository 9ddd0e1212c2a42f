"""`bothways person`: add, invite, list, disable."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, RowNumber, Why, minute, result, table, tell
from bothways.operations import people
from bothways.operations.hub import Hub
from bothways.registry.access import Role


def add(
    email: str,
    *,
    name: Annotated[str, Parameter(help="The name, as the person writes it.")],
    role: Role,
    customer: Annotated[str | None, Parameter(help="The tspId, for a customer's role.")] = None,
    os_user: Annotated[
        str | None, Parameter(help="The user that this person is on the hub's own machine, as `id -un` prints it.")
    ] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Put a person on record, who can then be invited to sign in. The e-mail address is their name in the audit."""
    with asked(where) as at:
        body = {"email": email, "name": name, "role": role.value, "customer": customer, "os_user": os_user}
        document = at.change(
            lambda hub: dict(people.add_person(hub, email, name, role, customer, os_user).document()),
            "POST",
            ("people",),
            body,
        )
        text = f"{document['email']} is on record as person {document['id']}, {role.value}."
        result(document, text, as_json=json)
        return OK


def invite(number: RowNumber, *, where: Where = DEFAULT, json: Json = False) -> int:
    """Print a link with which a person makes their account for the portal: once, within three days.

    What they signed in with before opens nothing any more: this replaces a lost password or authenticator too.
    """

    def local(hub: Hub) -> Document:
        from bothways.operations.accounts import invitation  # noqa: PLC0415 - argon2 and the codes, for this alone

        return invitation(hub, number)

    with asked(where) as at:
        document = at.change(local, "POST", ("people", number, "invite"))
        result(document, document["link"], as_json=json)
        end = minute(document["expires_at"])
        tell(f"Hand this link to {document['email']} alone. It works once, until {end} UTC.")
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
        rows = [tuple(each[head] for head in heads) for each in documents]
        result(documents, table(rows, tuple(head.upper().replace("_", " ") for head in heads)), as_json=json)
        return OK


def disable(number: RowNumber, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
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
