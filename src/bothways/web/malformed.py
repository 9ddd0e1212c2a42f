"""What is wrong with a request that is not as its operation describes it, as findings: where, and what was wanted.

The framework's own words tell of its inside, and may repeat what was sent, which may be a secret: none of them is told.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bothways.findings import Finding
from bothways.visible import visible

FINDINGS_MOST = 50
"""As many are told: a long list may be wrong at each of its places."""
_PART_MOST = 64
_HINT = "What the operation takes is in /openapi.json."
_WANTED = {
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "an object",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "string_type": "a text",
}
_BOUNDS = {
    "ge": "{value} or more",
    "le": "{value} or less",
    "gt": "more than {value}",
    "lt": "less than {value}",
    "min_length": "a length of {value} or more",
    "max_length": "a length of {value} or less",
    "pattern": "what matches {value}",
    "expected": "{value}",
}


def malformed_findings(errors: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Return a finding for each of the framework's errors, of the first fifty."""
    return tuple(_finding(each) for each, _ in zip(errors, range(FINDINGS_MOST), strict=False))


def _finding(error: Mapping[str, Any]) -> Finding:
    place, *parts = (str(each) for each in error["loc"])
    name = ".".join(visible(each[:_PART_MOST]) for each in parts if each != "[key]")
    subject = f"{place} {name}".strip()
    if error["type"] == "json_invalid":
        message = f"what was sent is no JSON, from character {name} on; a JSON object in UTF-8 is wanted"
        return Finding("API-01", message, "Correct it, and send it again.", "RFC 8259", place)
    if error["type"] == "missing":
        return Finding("API-02", f"{name or 'all of it'} is missing", f"Send it too. {_HINT}", "R16", subject)
    if error["type"] == "extra_forbidden":
        message = f"{name} is there, and this operation knows no such name"
        return Finding("API-03", message, f"Correct its spelling, or leave it out. {_HINT}", "R16", subject)
    message = f"{name or 'it'} is not of the wanted kind; {_wanted(error)} is wanted"
    return Finding("API-04", message, _HINT, "R16", subject)


def _wanted(error: Mapping[str, Any]) -> str:
    limits = error.get("ctx") or {}
    bounds = [said.format(value=limits[name]) for name, said in _BOUNDS.items() if name in limits]
    return ", ".join(bounds) or _WANTED.get(error["type"], "what the operation says")
