"""Whom a presented certificate claims to be: read from its names, and proved by nothing."""

import re
from dataclasses import dataclass

from bothways.contract.document import Environment, KeyType, RequestTerms
from bothways.pki.presented import Presented
from bothways.pki.profile import read_uri_id


@dataclass(frozen=True, slots=True)
class Claim:
    """The tspId and the environment that a certificate names."""

    tsp_id: str
    environment: Environment


def claim_of(presented: Presented, terms: RequestTerms) -> Claim | None:
    """Return whom the certificate claims to be: by its one URI-ID, else by its one common name (R8), else None."""
    if len(presented.uri_ids) == 1 and (named := read_uri_id(presented.uri_ids[0])):
        return Claim(named[1], named[0])
    if len(presented.common_names) == 1 and (found := _pattern(terms).fullmatch(presented.common_names[0])):
        return Claim(found["tspId"], Environment(found["environment"]))
    return None


def _pattern(terms: RequestTerms) -> re.Pattern[str]:
    places = {
        "algorithm": "|".join(re.escape(terms.marker(each)) for each in KeyType),
        "tspId": "[A-Za-z0-9]{1,32}",
        "environment": "|".join(Environment),
    }
    text = re.escape(terms.common_name)
    for place, values in places.items():
        text = text.replace(re.escape(f"{{{place}}}"), f"(?P<{place}>{values})")
    return re.compile(text, re.ASCII)
