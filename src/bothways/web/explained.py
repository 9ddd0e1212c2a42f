"""`/problems/ID`: what is behind a finding and what to do, where the `type` of a problem leads (RFC 9457)."""

import re
from functools import cache

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from bothways.errors import NotFound
from bothways.manual import library

_PAGES = ("findings.md", "probe.md")
_ROW = re.compile(r"^\| `([A-Z0-9-]+)` \|(.*)\|$", re.MULTILINE)
_HEADS = ("level", "what is behind it", "what to do")


def explained_router() -> APIRouter:
    """Return the route, for everybody: it says nothing that the documentation does not."""
    router = APIRouter(include_in_schema=False)

    @router.get("/problems/{finding}")
    async def _explain(finding: str) -> Response:
        if finding not in explanations():
            raise NotFound(f"no finding has the id {finding!r}. Take it from the problem as it stands there.")
        return PlainTextResponse(explanations()[finding], media_type="text/markdown")

    return router


@cache
def explanations() -> dict[str, str]:
    """Return the explanation of each finding in Markdown, by id, from the rows of the documentation's own pages."""
    found = {}
    for page in _PAGES:
        for id_, rest in _ROW.findall(library.page(page).markdown):
            cells = [each.strip() for each in rest.split(" | ")]
            said = "\n\n".join(f"**{head}**: {cell}" for head, cell in zip(_HEADS[-len(cells) :], cells, strict=False))
            found[id_] = f"# {id_}\n\n{said}\n"
    return found
