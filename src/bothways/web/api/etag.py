"""Entity tags (RFC 9110 section 8.8.3): what was read is what is changed, or the change is refused."""

import hashlib
import json
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Response

from bothways.web.api.caller import Document
from bothways.web.problem import Told

IfMatch = Annotated[str | None, Header(description="The ETag of what was read: nothing is done if it changed since.")]
IfNoneMatch = Annotated[str | None, Header(description="`*`: nothing is done if there is one already.")]


def tag(document: Document) -> str:
    """Return the entity tag of a document."""
    return f'"{hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:32]}"'


def tagged(response: Response, document: Document) -> Document:
    """Return the document, after naming it in the header `ETag`."""
    response.headers["ETag"] = tag(document)
    return document


def require_match(if_match: str | None, document: Document) -> None:
    """Raise 412 if the caller read something else than the document; nothing, if it does not say what it read."""
    if if_match is not None and not matches(if_match, document):
        raise Told(
            HTTPStatus.PRECONDITION_FAILED,
            "it was changed since you read it. Read it again, and decide on what stands there now.",
        )


def matches(if_match: str, document: Document) -> bool:
    """Tell whether a header `If-Match` names the document. Weak tags never do (RFC 9110 section 13.1.1)."""
    named: list[Any] = [each.strip() for each in if_match.split(",")]
    return "*" in named or tag(document) in named
