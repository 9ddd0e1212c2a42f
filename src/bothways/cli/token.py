"""`bothways token`: add, list, revoke."""

from typing import Annotated

from cyclopts import Parameter, validators

from bothways.cli.exit import OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, RowNumber, result, table, tell
from bothways.operations import tokens
from bothways.registry.access import Action, Role


def add(
    name: str,
    *,
    role: Role,
    customer: Annotated[str | None, Parameter(help="The tspId, for a customer's role.")] = None,
    scope: Annotated[
        tuple[Action, ...], Parameter(help="What it is limited to; all that its role may do if none.")
    ] = (),
    days: Annotated[
        int, Parameter(help="How long it opens.", validator=validators.Number(gte=1, lte=tokens.DAYS_MOST))
    ] = tokens.DAYS,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Make an API token. It is shown once, and not stored."""
    with hub_in(directory) as hub:
        record, secret = tokens.create_token(hub, name, role, customer, scope or None, days)
        result(record.document(hub.now()) | {"token": secret}, secret, as_json=json)
        tell(
            f"Token {record.id} ({name}, {role.value}) opens until {record.expires_at:%Y-%m-%d}. It is not shown again."
        )
        return OK


def list_(
    *,
    customer: Annotated[str | None, Parameter(help="The tspId of one customer.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """List API tokens, those that ended too."""
    with hub_in(directory) as hub:
        documents = [each.document(hub.now()) for each in tokens.list_tokens(hub, customer)]
        heads = ("id", "name", "role", "customer", "state", "expires_at", "used_at")
        rows = [tuple(each[head] for head in heads) for each in documents]
        result(documents, table(rows, tuple(head.removesuffix("_at").upper() for head in heads)), as_json=json)
        return OK


def revoke(number: RowNumber, *, directory: Directory = HERE, json: Json = False) -> int:
    """Revoke an API token: it opens nothing from now on."""
    with hub_in(directory) as hub:
        record = tokens.revoke_token(hub, number)
        result(record.document(hub.now()), f"Token {number} ({record.name}) is revoked.", as_json=json)
        return OK
