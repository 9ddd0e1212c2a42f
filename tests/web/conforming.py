"""Whether an answer of the API is as its document says: not one property less, not one more, and no other status."""

import re
from functools import cache
from typing import Any

import httpx2
from jsonschema_rs import Draft202012Validator

from bothways.web.api.answers import ANSWERS
from bothways.web.api.described import DESCRIBED, DONE, PREFIX
from bothways.web.api.things import SCHEMAS

_NO_OPERATION = {404, 405}


def wrong_with(answer: httpx2.Response, method: str, path: str) -> list[str]:
    """Return what is not as the document says; nothing for what is no operation of the API."""
    if not path.startswith(f"{PREFIX}/"):
        return []
    operation = operation_at(method, path.removeprefix(PREFIX))
    if operation is None:
        return [] if answer.status_code in _NO_OPERATION else [f"{method} {path} is no operation"]
    kind = answer.headers["content-type"].partition(";")[0]
    if str(answer.status_code) in DONE:
        value = answer.json() if kind == "application/json" else answer.text
        return errors(ANSWERS[operation], value)
    if answer.status_code == httpx2.codes.ACCEPTED:
        return errors({"$ref": "#/components/schemas/Proposed"}, answer.json())
    if answer.status_code not in DESCRIBED:
        return [f"{answer.status_code} is not in the document"]
    problem = [] if kind == "application/problem+json" else [f"a problem comes as {kind}"]
    return problem + errors({"$ref": "#/components/schemas/Problem"}, answer.json())


def operation_at(method: str, path: str) -> tuple[str, str] | None:
    """Return the operation that answers at a path under the prefix, the one with the fewest parameters."""
    found = [each for each in ANSWERS if each[0] == method and _pattern(each[1]).fullmatch(path)]
    return min(found, key=lambda each: each[1].count("{"), default=None)


def errors(schema: dict[str, Any], value: Any) -> list[str]:
    """Return where a value is not as the schema says, when nothing is allowed that it does not name."""
    components = {name: _closed(each) for name, each in SCHEMAS.items()}
    whole = _site(schema) | {"components": {"schemas": components}}
    found = Draft202012Validator(whole, validate_formats=True).iter_errors(value)
    return [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in found]


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", template))


def _site(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that has nothing else."""
    return {"allOf": [_closed(schema)], "unevaluatedProperties": False}


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of which no part has anything else; what it is a part of may have."""
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: _site(each) for name, each in schema["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in schema:
            closed[name] = _site(schema[name]) if schema[name] else schema[name]
    for name in ("allOf", "anyOf"):
        if name in schema:
            closed[name] = [_closed(each) for each in schema[name]]
    return closed
