"""`/problems/ID`: what is behind a finding and what to do, where the `type` of a problem leads (RFC 9457)."""

import re
from functools import cache
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from bothways.errors import NotFound
from bothways.manual import library
from bothways.manual.passages import anchor

_PAGES = ("findings", "probe")
_ROW = re.compile(r"^\| `([A-Z0-9-]+)` \|(.*)\|$", re.MULTILINE)
_EITHER = {"Vary": "Accept"}
_HEADS = ("level", "what is behind it", "what to do")


def explained_router() -> APIRouter:
    """Return the route, for everybody: it says nothing that the documentation does not."""
    router = APIRouter(include_in_schema=False)

    @router.get("/problems/{finding}")
    async def _explain(finding: str, accept: Annotated[str, Header()] = "") -> Response:
        """Explain it: to programs in Markdown, and to browsers in its place among the others of its kind."""
        if finding not in explanations():
            raise NotFound(f"no finding has the id {finding!r}. Take it from the problem as it stands there.")
        page, said = explanations()[finding]
        if "text/html" in accept:
            return RedirectResponse(f"/docs/{page}.html#{anchor(finding)}", HTTPStatus.SEE_OTHER, _EITHER)
        return PlainTextResponse(said, headers=_EITHER, media_type="text/markdown")

    return router


@cache
def explanations() -> dict[str, tuple[str, str]]:
    """Return the page and the explanation of each finding, by id, from the rows of the documentation's own pages."""
    found = {}
    for page in _PAGES:
        for id_, rest in _ROW.findall(library.page(f"{page}.md").markdown):
            cells = [each.strip() for each in rest.split(" | ")]
            said = "\n\n".join(f"**{head}**: {cell}" for head, cell in zip(_HEADS[-len(cells) :], cells, strict=False))
            found[id_] = page, f"# {id_}\n\n{said}\n"
    return found
