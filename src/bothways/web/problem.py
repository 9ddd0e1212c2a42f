"""The one map from errors to HTTP: problems of RFC 9457."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from bothways.errors import BothwaysError, Conflict, NotAuthorized, NotFound, Refused, Unreachable, Unusable

_STATUS: dict[type[BothwaysError], int] = {
    Refused: 422,
    NotFound: 404,
    Conflict: 409,
    Unusable: 503,
    Unreachable: 502,
    NotAuthorized: 403,
}
_UNEXPECTED = 500


def install(app: FastAPI) -> None:
    """Answer every error of ours with a problem, and every other without its inside."""
    app.add_exception_handler(BothwaysError, _known)
    app.add_exception_handler(Exception, _unknown)


async def _known(_request: Request, error: Exception) -> JSONResponse:
    status = _STATUS.get(type(error), _UNEXPECTED) if isinstance(error, BothwaysError) else _UNEXPECTED
    document: dict[str, Any] = {
        "type": f"urn:bothways:problem:{type(error).__name__.lower()}",
        "status": status,
        "detail": str(error),
    }
    if isinstance(error, Refused):
        document["errors"] = [finding.document() for finding in error.findings]
    return JSONResponse(document, status, media_type="application/problem+json")


async def _unknown(_request: Request, _error: Exception) -> JSONResponse:
    document = {"type": "urn:bothways:problem:unexpected", "status": _UNEXPECTED, "detail": "see the hub's log"}
    return JSONResponse(document, _UNEXPECTED, media_type="application/problem+json")
