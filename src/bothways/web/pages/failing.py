"""Errors as pages: the same map to HTTP as for programs, shown to who asked with a browser."""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.routing import Match

from bothways.web.pages.evidence import shown_findings
from bothways.web.pages.view import View
from bothways.web.pages.visitor import SignInFirst, WhyMissing, redirect, sign_in_path

_Handler = Callable[[Request, Exception], Awaitable[Response]]


def install(app: FastAPI, view: View, api: str) -> None:
    """Answer browsers with pages where programs get problems; below the path `api` there are only programs."""
    for kind, as_problem in list(app.exception_handlers.items()):
        app.add_exception_handler(kind, _for_browsers(as_problem, view, api))

    async def sign_in(_: Request, error: Exception) -> Response:
        return redirect(sign_in_path(error.path if isinstance(error, SignInFirst) else "/"))

    app.add_exception_handler(SignInFirst, sign_in)

    async def why(request: Request, error: Exception) -> Response:
        form = error.form if isinstance(error, WhyMissing) else None
        kept = [each for each in form.sent.values if each[0] not in {"csrf", "reason"}] if form else []
        values: dict[str, Any] = {"action": request.url.path, "above": _page_above(request), "kept": kept}
        visitor = form and form.visitor
        return view.page("why.html", HTTPStatus.UNPROCESSABLE_ENTITY, visitor=visitor, **values)

    app.add_exception_handler(WhyMissing, why)


def _for_browsers(as_problem: Any, view: View, api: str) -> _Handler:
    async def answer(request: Request, error: Exception) -> Response:
        problem: Response = await as_problem(request, error)
        if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith(api):
            return problem
        if problem.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.method == "GET":
            # A form is answered at an address of its own: who loads that again, or keeps it, wants its page.
            return redirect(_page_above(request))
        said = json.loads(bytes(problem.body))
        values = {"title": said["title"], "detail": said["detail"], "findings": shown_findings(said.get("errors", ()))}
        visitor = getattr(request.state, "visitor", None)
        return view.page("problem.html", problem.status_code, visitor=visitor, **values)

    return answer


def _page_above(request: Request) -> str:
    """Return the path of the nearest page above a path that is answered to forms alone; the first page, if none is."""
    above = request.url.path
    while above := above.rpartition("/")[0]:
        scope = {**request.scope, "path": above, "raw_path": above.encode(), "method": "GET"}
        if any(each.matches(scope)[0] is Match.FULL for each in request.app.routes):
            return above
    return "/"
