"""What the OpenAPI document says of every operation alike: the problems that it may answer (RFC 9457)."""

from typing import Any

from bothways.web.api.answers import ANSWERS, SCHEMAS

PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "What kind of problem it is; of a finding, its page.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What was found, what was wanted, and what to do next."},
        "errors": {
            "type": "array",
            "description": "Everything that the rules find, at once.",
            "items": {
                "type": "object",
                "required": ["id", "type", "level", "message", "hint", "citation", "subject"],
                "properties": {
                    "id": {"type": "string"},
                    "type": {"type": "string", "format": "uri"},
                    "level": {"enum": ["error", "warning", "info"]},
                    "message": {"type": "string"},
                    "hint": {"type": "string"},
                    "citation": {"type": "string"},
                    "subject": {"type": "string"},
                },
            },
        },
    },
}
PROPOSED = {
    "type": "object",
    "required": ["state", "kind", "number", "by", "at", "detail"],
    "properties": {
        "state": {"const": "proposed"},
        "kind": {"enum": ["request", "chain", "endpoint"]},
        "number": {"type": "integer", "description": "The number of what a second person has to confirm."},
        "by": {"type": "string", "description": "The first person."},
        "at": {"type": "string", "format": "date-time"},
        "detail": {"type": "string", "description": "Who can confirm it, and how."},
    },
}
_SAID = {
    400: "The request cannot be read.",
    401: "It is not known who asks.",
    403: "The role or the token does not go so far.",
    404: "There is no such thing, or it is another customer's.",
    409: "The state of things does not allow it, or the Idempotency-Key was used for another request.",
    412: "The thing was changed since it was read (If-Match).",
    422: "What was sent breaks rules; each is in `errors`.",
    428: "Send the ETag of what you read as If-Match, or `If-None-Match: *` if there was nothing.",
    429: "Too many requests; `Retry-After` says when.",
    500: "Something went wrong inside the hub.",
    502: "The other side does not answer.",
    503: "The hub cannot do it as it is set up.",
}
_SCHEMA: dict[str, Any] = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of the sender's own, for a day: the same request under it is done once, and answered again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {"description": said, "content": _SCHEMA} for status, said in _SAID.items()
}
"""The problems by status, for every router."""


TWO_PEOPLE: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "On record, and not done: it takes effect when a second person confirms it by approving it too.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Proposed"}}},
    }
}
"""What an operation that can take two people answers to the first."""


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Put the schema of problems into an OpenAPI document, and take out the framework's own."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Problem": PROBLEM, "Proposed": PROPOSED}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(SCHEMAS)
    for path, methods in document["paths"].items():
        if answer := ANSWERS.get(path.removeprefix("/api/v1")):
            methods["get"]["responses"]["200"]["content"] = {"application/json": {"schema": answer}}
        for method, operation in methods.items():
            if method != "get" and "security" in operation and path.startswith("/api/"):
                operation.setdefault("parameters", []).append(_KEY)
    return document
