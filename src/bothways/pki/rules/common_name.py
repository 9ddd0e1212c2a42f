"""The rule on the common name (R8): one name is right, and of every other one everything that is wrong is said."""

import re
from collections.abc import Iterator

from bothways.contract.document import Environment, KeyType, Terms
from bothways.contract.subject import LIMITS
from bothways.pki.rule import Said, named, shown
from bothways.pki.rules.asked import Asked, text

_STRANGERS_MOST = 3


def common_name_is_agreed(asked: Asked) -> Iterator[Said]:
    """The one common name of this key, customer and environment, character for character."""
    if len(asked.values["CN"]) != 1:
        return  # that is the finding
    found = text(asked.values["CN"][0])
    terms, tsp_id = asked.applicant.terms, asked.applicant.tsp_id
    markers = [asked.marker] if asked.marker else list(terms.request.keys)
    wanted = [terms.request.expected_common_name(each, tsp_id, terms.environment) for each in markers]
    if found not in wanted:
        why = "; ".join(_reasons(found, wanted[0], asked)) or "it does not follow the agreed pattern"
        yield (
            f"the common name is {shown(found)}, wanted is {shown(wanted[0])}: {why}",
            f"Make the request again with CN={wanted[0]}.",
        )


def _reasons(found: str, wanted: str, asked: Asked) -> Iterator[str]:
    terms = asked.applicant.terms
    if len(found) > LIMITS["CN"]:
        yield f"it has {len(found)} characters, at most {LIMITS['CN']} are allowed"
    if found != found.strip():
        yield "it begins or ends with white space"
    if strangers := sorted({each for each in found.strip() if not (each.isascii() and each.isprintable())}):
        yield f"it has {', '.join(named(each) for each in strangers[:_STRANGERS_MOST])}"
    parts = _parts(found.strip(), terms)
    if parts:
        yield from _deviations(parts, asked)
    elif found.casefold() == wanted.casefold():
        yield "capital and small letters differ"


def _deviations(parts: dict[str, str], asked: Asked) -> Iterator[str]:
    environment, terms, kind = asked.applicant.terms.environment, asked.applicant.terms, asked.marker
    if kind and parts["algorithm"] != terms.request.marker(kind):
        yield f"the marker is {parts['algorithm']}, but the key is {kind.marker}"
    if parts["tspId"] != asked.applicant.tsp_id:
        yield f"the tspId is {parts['tspId']}, and this customer's is {asked.applicant.tsp_id}"
    if parts["environment"] != environment.value:
        yield f"it is for {parts['environment']}, and this is {environment.value}"


def _parts(found: str, terms: Terms) -> dict[str, str] | None:
    """Return the marker, the tspId and the environment that stand in a name of the agreed pattern."""
    markers = "|".join(re.escape(terms.request.marker(each)) for each in KeyType)
    environments = "|".join(each.value for each in Environment)
    pattern = re.escape(terms.request.common_name)
    for place, allowed in (("algorithm", markers), ("tspId", "[A-Za-z0-9]+?"), ("environment", environments)):
        pattern = pattern.replace(re.escape(f"{{{place}}}"), f"(?P<{place}>{allowed})")
    match = re.fullmatch(pattern, found, re.ASCII)
    return match.groupdict() if match else None
