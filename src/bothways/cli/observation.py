"""`bothways observation`: list."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from bothways.cli.asking import DEFAULT, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, result, second
from bothways.connectivity.observation import MatchedBy
from bothways.operations.observations import list_observations

_LIMIT = 50


def list_(
    *,
    customer: Annotated[str | None, Parameter(help="Only those of this customer.")] = None,
    unmatched: Annotated[bool, Parameter(negative="", help="Only those that nothing ties to a customer.")] = False,
    limit: Annotated[int, Parameter(help="How many at most.", validator=Number(gte=1, lte=1000))] = _LIMIT,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """List why calls to the endpoint failed, the last one first, each with its repair."""
    place = ("observations",) if customer is None else ("customers", customer, "observations")
    query = {"unmatched": True} if unmatched else {}
    with asked(where) as at:
        found = at.every(
            lambda hub: [
                each.document() for each in list_observations(hub, customer, unmatched=unmatched, limit=limit)
            ],
            place,
            limit,
            **query,
        )
        text = "\n".join(observation_lines(found)) or "No call failed in the last 30 days."
        result(found, text, as_json=json)
        return OK


def observation_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return observations for people: when, from where, how often and whose; what was seen; what to do."""
    lines = []
    for each in found:
        times = f", {each['count']} times since {second(each['first_at'])}" if each["count"] > 1 else ""
        whose = f" {each['customer']}: {MatchedBy(each['matched_by']).said}" if each["matched_by"] else " nobody known"
        lines += [
            f"{second(each['last_at'])} UTC from {each['source']}{times},{whose}",
            f"  {each['finding']['id']}: {each['finding']['message']}.",
            f"  {each['finding']['hint']}",
        ]
    return lines
