"""Pages of long lists: a cursor that names the last item, so that nothing is left out or told twice while it grows."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

from bothways.web.api.caller import Document
from bothways.web.api.inputs import NUMBER_MOST

LIMIT, LIMIT_MOST = 50, 200
PLAIN_MOST = 5000
"""Items of a page that are each a number or a digest alone: about as long as 200 of the others."""

Limit = Annotated[int, Query(ge=1, le=LIMIT_MOST, description="How many items at most.")]
PlainLimit = Annotated[int, Query(ge=1, le=PLAIN_MOST, description="How many items at most.")]
NumberCursor = Annotated[int, Query(ge=0, le=NUMBER_MOST, description="`next` of the page before.")]
TspIdCursor = Annotated[str, Query(max_length=32, description="`next` of the page before.")]

_Item = TypeVar("_Item")


def page(
    items: Sequence[_Item], limit: int, cursor: Callable[[_Item], Any], document: Callable[[_Item], object]
) -> Document:
    """Return a page of at most `limit` of the items, of which there is one more if there is a next page."""
    shown = items[:limit]
    more = len(items) > limit
    return {"items": [document(each) for each in shown], "next": cursor(shown[-1]) if more else None}
