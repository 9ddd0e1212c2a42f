"""`bothways person`: add, invite, list, disable."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, RowNumber, result, table, tell
from bothways.operations import people
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
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Put a person on record, who can then be invited to sign in. The e-mail address is their name in the audit."""
    with hub_in(directory) as hub:
        added = people.add_person(hub, email, name, role, customer, os_user)
        text = f"{added.email} is on record as person {added.id}, {role.value}."
        result(added.document(), text, as_json=json)
        return OK


def invite(number: RowNumber, *, directory: Directory = HERE, json: Json = False) -> int:
    """Print a link with which a person makes their account for the portal: once, within three days.

    What they signed in with before opens nothing any more: this replaces a lost password or authenticator too.
    """
    from bothways.operations.accounts import invite_person  # noqa: PLC0415 - argon2 and the codes, for this alone

    with hub_in(directory) as hub:
        person, token, end = invite_person(hub, number)
        link = f"{hub.terms.portal}/invitation/{token}"
        result(person.document() | {"link": link, "expires_at": end.isoformat()}, link, as_json=json)
        tell(f"Hand this link to {person.email} alone. It works once, until {end:%Y-%m-%d %H:%M} UTC.")
        return OK


def list_(
    *,
    customer: Annotated[str | None, Parameter(help="The tspId of one customer.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """List people, those that were disabled too."""
    with hub_in(directory) as hub:
        documents = [each.document() for each in people.list_people(hub, customer)]
        heads = ("id", "email", "name", "role", "customer", "os_user", "state")
        rows = [tuple(each[head] for head in heads) for each in documents]
        result(documents, table(rows, tuple(head.upper().replace("_", " ") for head in heads)), as_json=json)
        return OK


def disable(number: RowNumber, *, directory: Directory = HERE, json: Json = False) -> int:
    """Let a person in no more, by sign-in or by token. They stay on record, for the audit names them."""
    with hub_in(directory) as hub:
        disabled = people.disable_person(hub, number)
        result(disabled.document(), f"{disabled.email} is disabled.", as_json=json)
        return OK
