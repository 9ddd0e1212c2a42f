"""`bothways observation`: list."""

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from bothways.cli.exit import OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, result
from bothways.connectivity.observation import Observation
from bothways.operations.observations import list_observations

_LIMIT = 50


def list_(
    *,
    customer: Annotated[str | None, Parameter(help="Only those of this customer.")] = None,
    unmatched: Annotated[bool, Parameter(negative="", help="Only those that nothing ties to a customer.")] = False,
    limit: Annotated[int, Parameter(help="How many at most.", validator=Number(gte=1, lte=1000))] = _LIMIT,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """List why calls to the endpoint failed, the last one first, each with its repair."""
    with hub_in(directory) as hub:
        found = list_observations(hub, customer, unmatched=unmatched, limit=limit)
        text = "\n".join(observation_lines(found)) or "No call failed in the last 30 days."
        result([each.document() for each in found], text, as_json=json)
        return OK


def observation_lines(found: Sequence[Observation]) -> list[str]:
    """Return observations for people: when, from where, how often and whose; what was seen; what to do."""
    lines = []
    for each in found:
        times = f", {each.count} times since {each.first_at:%Y-%m-%d %H:%M:%S}" if each.count > 1 else ""
        whose = f" {each.tsp_id}: {each.matched_by.said}" if each.matched_by else " nobody known"
        lines += [
            f"{each.last_at:%Y-%m-%d %H:%M:%S} UTC from {each.source}{times},{whose}",
            f"  {each.finding.id}: {each.finding.message}.",
            f"  {each.finding.hint}",
        ]
    return lines
