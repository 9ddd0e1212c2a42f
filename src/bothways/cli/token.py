"""`bothways token`: add, list, revoke."""

from typing import Annotated

from cyclopts import Parameter, validators

from bothways.cli.arguments import TokenNumber
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Why, day, result, table, tell
from bothways.operations import tokens
from bothways.operations.hub import Hub
from bothways.registry.access import Action, Role


def add(
    name: Annotated[str, Parameter(help="What the token is for, in your words: lists show it.")],
    *,
    role: Annotated[Role, Parameter(help="What whoever has it may do.")],
    customer: Annotated[str | None, Parameter(help="The tspId, for a customer's role.")] = None,
    scope: Annotated[
        tuple[Action, ...],
        Parameter(negative="", help="What it is limited to, once for each; all that its role may do if none."),
    ] = (),
    days: Annotated[
        int, Parameter(help="For how many days it opens.", validator=validators.Number(gte=1, lte=tokens.DAYS_MOST))
    ] = tokens.DAYS,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Make an API token. It is shown once, and not stored."""

    def local(hub: Hub) -> Document:
        record, secret = tokens.create_token(hub, name, role, customer, scope or None, days)
        return record.document(hub.now()) | {"token": secret}

    scopes = [each.value for each in scope] or None
    body = {"name": name, "role": role.value, "customer": customer, "scopes": scopes, "days": days}
    with asked(where) as at:
        document = at.change(local, "POST", ("tokens",), body)
        result(document, document["token"], as_json=json)
        end = day(document["expires_at"])
        tell(f"Token {document['id']} ({name}, {role.value}) opens until {end}. It is not shown again.")
        return OK


def list_(
    *,
    customer: Annotated[str | None, Parameter(help="The tspId of one customer.")] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """List API tokens, those that ended too."""

    def local(hub: Hub) -> list[Document]:
        return [dict(each.document(hub.now())) for each in tokens.list_tokens(hub, customer)]

    with asked(where) as at:
        documents = at.every(local, ("tokens",), customer=customer)
        heads = ("id", "name", "role", "customer", "state", "expires_at", "used_at")
        rows = [tuple(each[head] for head in heads) for each in documents]
        result(documents, table(rows, tuple(head.removesuffix("_at").upper() for head in heads)), as_json=json)
        return OK


def revoke(number: TokenNumber, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Revoke an API token: it opens nothing from now on."""

    def local(hub: Hub) -> Document:
        return dict(tokens.revoke_token(hub, number, reason).document(hub.now()))

    with asked(where) as at:
        document = at.change(local, "POST", ("tokens", number, "revoke"), {"reason": reason})
        result(document, f"Token {number} ({document['name']}) is revoked.", as_json=json)
        return OK
