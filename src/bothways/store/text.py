"""Texts that no database is given: PostgreSQL keeps no NUL, no encoding takes half of a pair, so SQLite keeps neither.

Asked ahead of every statement, so that whoever brings one reads why, at each way in and on both databases alike.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, event

from bothways.errors import Refused
from bothways.findings import Finding

_HALF = re.compile(r"[\ud800-\udfff]")

_Row = Mapping[str, object] | Sequence[object]


def require_storable(engine: Engine) -> None:
    """Have every statement of an engine refused with `TEXT-01` that brings such a text."""
    event.listen(engine, "before_cursor_execute", _look)


def _look(
    _connection: Connection, _cursor: object, _statement: str, brought: Any, _context: object, executemany: object
) -> None:
    rows: Iterable[_Row] = brought if executemany else (brought,)
    for row in rows:
        for each in row.values() if isinstance(row, Mapping) else row:
            if isinstance(each, str) and ("\0" in each or (not each.isascii() and _HALF.search(each))):
                message = "a text holds the character NUL, or half of a pair (a surrogate); no database keeps these"
                raise Refused((Finding("TEXT-01", message, "Leave the character out.", "R16", "text"),))
