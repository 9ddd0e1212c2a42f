"""What the OpenAPI document says of every operation alike: the problems that it may answer (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from bothways.web.api.answers import ANSWERS
from bothways.web.api.location import LOCATED
from bothways.web.api.shapes import Schema
from bothways.web.api.things import SCHEMAS

PREFIX = "/api/v1"
DONE = {"200", "201"}
"""The statuses of success: 202 says that it is not done."""

_SAID = {
    400: "The request cannot be read.",
    401: "It is not known who asks.",
    403: "The role or the token does not go so far.",
    404: "There is no such thing, or it is another customer's.",
    409: "The state of things does not allow it, or the Idempotency-Key was used for another request.",
    412: "The thing was changed since it was read (If-Match).",
    413: "More was sent than any operation of this kind takes.",
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
_TEXT = {"type": "string"}
_HEADERS = {
    401: {"WWW-Authenticate": {"description": "How to say who asks (RFC 6750).", "schema": _TEXT}},
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}},
}
_ETAG = {"ETag": {"description": "Names what is shown; sent back as `If-Match` with a change.", "schema": _TEXT}}
_REPLAYED = {
    "Idempotency-Replayed": {"description": "`true` if it was done before, under the same key.", "schema": _TEXT}
}
_LOCATION = {
    "Location": {
        "description": "The path at which what was made is shown.",
        "schema": {"type": "string", "format": "uri-reference"},
    }
}
DESCRIBED: dict[int | str, dict[str, Any]] = {
    status: {"description": said, "content": _SCHEMA} | ({"headers": _HEADERS[status]} if status in _HEADERS else {})
    for status, said in _SAID.items()
}
"""The problems by status, for every router."""


TWO_PEOPLE: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "On record, and not done: it takes effect when a second person confirms it.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Proposed"}}},
    }
}
"""What an operation that can take two people answers to the first."""


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Put the schemas of answers and problems into an OpenAPI document, and take out the framework's own."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(SCHEMAS)
    tagged = _tagged(document["paths"])
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not path.startswith(PREFIX):
                _put_problem(operation)
                continue
            headers = _REPLAYED if method != "get" else _ETAG if path in tagged else {}
            _put_answer(operation, ANSWERS[method.upper(), path.removeprefix(PREFIX)], headers)
            if method == "post" and path.removeprefix(PREFIX) in LOCATED:
                operation["responses"]["201"]["headers"] = headers | _LOCATION
            if method != "get":
                operation.setdefault("parameters", []).append(_KEY)
    return document


def _tagged(paths: dict[str, Any]) -> set[str]:
    """Return the paths at which a thing is shown that is changed there, or right below, with its entity tag."""
    changes = {
        path
        for path, methods in paths.items()
        for operation in methods.values()
        if any(each["name"].lower() == "if-match" for each in operation.get("parameters", ()))
    }
    return {path if "get" in paths[path] else path.rpartition("/")[0] for path in changes}


def _put_problem(operation: dict[str, Any]) -> None:
    """Say, of what is no operation of the API, that what cannot be read is answered with a problem too."""
    if (unread := str(int(HTTPStatus.UNPROCESSABLE_ENTITY))) in operation["responses"]:
        operation["responses"][unread] = {"description": "The request cannot be read.", "content": _SCHEMA}


def _put_answer(operation: dict[str, Any], schema: Schema, headers: dict[str, Any]) -> None:
    """Say what is answered with success in place of what the framework knows: some object, or some text."""
    for status, response in operation["responses"].items():
        if status in DONE:
            response["content"] = {kind: {"schema": schema} for kind in response["content"]}
            if headers:
                response["headers"] = headers
