"""The one map from errors to HTTP: problems of RFC 9457."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from bothways.errors import (
    BothwaysError,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    Proposed,
    Refused,
    Unreachable,
    Unusable,
)
from bothways.findings import Finding
from bothways.web.malformed import malformed_findings

_STATUS: dict[type[BothwaysError], int] = {
    Proposed: 202,
    Refused: 422,
    NotFound: 404,
    Conflict: 409,
    Unusable: 503,
    Unreachable: 502,
    NotAuthenticated: 401,
    NotAuthorized: 403,
}
_TITLES = {
    "refused": "What was sent breaks rules",
    "notfound": "There is no such thing",
    "conflict": "The state of things does not allow it",
    "unusable": "The hub cannot do it as it is set up",
    "unreachable": "The other side does not answer",
    "notauthenticated": "It is not known who asks",
    "notauthorized": "This is not allowed",
    "method": "This cannot be done here",
    "request": "The request is not as it has to be",
    "unexpected": "Something went wrong inside the hub",
}
_NOT_FOUND, _NOT_ALLOWED, _UNPROCESSABLE, _UNEXPECTED = 404, 405, 422, 500


class Told(HTTPException):
    """A status of HTTP's own that no error of ours stands for, in words of ours."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, detail, headers)


def install(app: FastAPI, portal: str = "", *, at_host: bool = False) -> None:
    """Answer every error of ours with a problem, and every other, the framework's included, without its inside.

    `portal` is the URL under which the page of each finding is: `/problems/ID`. `at_host`: who asks runs the hub, on
    its machine.
    """
    app.state.problems, app.state.at_host = f"{portal}/problems/", at_host
    app.add_exception_handler(BothwaysError, _known)
    app.add_exception_handler(Told, _told)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(Exception, _unknown)


def status_of(error: BothwaysError) -> int:
    """Return the HTTP status that says what an error says."""
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), _UNEXPECTED)


def accepted(error: Proposed) -> JSONResponse:
    """Return the answer to what is on record, and waits for a second person: no problem, and not done."""
    return JSONResponse(error.document(), _STATUS[Proposed])


def is_foreseen(error: BaseException) -> bool:
    """Tell whether an error is one that says what was not done: of ours, or of what was sent."""
    return isinstance(error, BothwaysError | HTTPException | RequestValidationError)


async def _known(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Proposed):
        return accepted(error)
    kind = next((kind for kind in _STATUS if isinstance(error, kind)), None)
    if kind is None or not isinstance(error, BothwaysError):
        return _unexpected()
    more: dict[str, Any] = {}
    if isinstance(error, Refused):
        more = _explained(request, error.findings)
    said = str(error) if _has_commands(request) else error.said
    answer = _problem(kind.__name__.lower(), _STATUS[kind], said, **more)
    if kind is NotAuthenticated:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _explained(request: Request, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Return `errors` with the page of each finding, and that of the first one as `type`."""
    pages = request.app.state.problems
    more: dict[str, Any] = {"errors": [each.document() | {"type": pages + each.id} for each in findings]}
    # The first one is the most relevant: the rules go from what hides the others to details (RFC 9457 section 3).
    return more | ({"type": pages + findings[0].id} if findings else {})


def _has_commands(request: Request) -> bool:
    """Tell whether who asks has the commands of the hub: with a token of the hub, or at its machine."""
    caller = getattr(request.state, "caller", None)
    return request.app.state.at_host or (caller is not None and not caller.principal.role.of_customer)


async def _told(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Told):
        return _unexpected()
    answer = _problem("request", error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


async def _not_served(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else _UNEXPECTED
    path = request.url.path
    if status == _NOT_FOUND:
        return _problem("notfound", status, f"there is nothing at {path}. Check the spelling of the path.")
    if status == _NOT_ALLOWED:
        allowed = ", ".join(sorted(_methods_at(request)))
        detail = f"{request.method} is not answered at {path}, wanted is {allowed}. Send the request with that method."
        answer = _problem("method", status, detail)
        answer.headers["Allow"] = allowed
        return answer
    answer = _problem(
        "request", status, f"{HTTPStatus(status).phrase.lower()}. Correct the request, and send it again."
    )
    answer.headers.update((isinstance(error, HTTPException) and error.headers) or {})
    return answer


def _methods_at(request: Request) -> set[str]:
    """Return what is answered at a path: the framework names the methods of the first route that it has there."""
    found: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches({**request.scope, "method": ""})
        if match is not Match.NONE:
            found |= set(getattr(route, "methods", None) or ())
    return found


async def _malformed(request: Request, error: Exception) -> JSONResponse:
    found = malformed_findings(error.errors() if isinstance(error, RequestValidationError) else [])
    said = "\n".join(str(each) for each in found)
    return _problem("request", _UNPROCESSABLE, said, **_explained(request, found))


async def _left(_request: Request, _error: Exception) -> JSONResponse:
    # Nobody reads it. Without it the log would have a traceback for each caller who leaves in the middle.
    return _problem("request", HTTPStatus.BAD_REQUEST, "the request ended before it was whole. Send it again.")


async def _unknown(_request: Request, _error: Exception) -> JSONResponse:
    return _unexpected()


def _unexpected() -> JSONResponse:
    return _problem("unexpected", _UNEXPECTED, "the reason is in the hub's log. Ask who runs the hub to look there.")


def _problem(kind: str, status: int, detail: str, **more: Any) -> JSONResponse:
    document = {"type": f"urn:bothways:problem:{kind}", "title": _TITLES[kind], "status": status, "detail": detail}
    return JSONResponse(document | more, status, media_type="application/problem+json")
