"""What every command prints: the result on stdout, prose and errors on stderr, JSON where it is asked for."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from bothways.errors import BothwaysError
from bothways.visible import visible

Directory = Annotated[Path, Parameter(help="The directory of the hub, or of the spoke.")]
Json = Annotated[
    bool, Parameter(name="--json", negative="", help="Print the result as JSON, and nothing else, on stdout.")
]


def _some(_type: object, reason: str) -> None:
    """Refuse a reason that says nothing."""
    if not reason.strip():
        raise ValueError("a reason that says something is wanted: who reads the audit will ask for it.")


Reason = Annotated[str, Parameter(help="Why; it is recorded, and the customer will read it.", validator=_some)]
Why = Annotated[str, Parameter(name="--reason", help="Why; it is recorded in the audit.", validator=_some)]
OptionalWhy = Annotated[str, Parameter(name="--reason", help="Why, if it is not clear; recorded in the audit.")]

_ROW_MOST = 2**63 - 1


def is_row_number(text: str) -> bool:
    """Tell whether the text is a number that a row of the database can have."""
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= _ROW_MOST


def _require_row_number(_kind: object, value: int) -> None:
    if not is_row_number(str(value)):
        raise ValueError(f"{value} is the number of nothing here; 1 to {_ROW_MOST} are wanted.")


RowNumber = Annotated[int, Parameter(validator=_require_row_number)]
"""The number that a request was given when it was stored."""

HERE = Path()
"""The directory that commands work in when none is named, as git does it."""


def tell(text: str, mark: str = "") -> None:
    """Print prose, for people. `mark` stands before it as it is, for a terminal's colours."""
    print(f"{mark}{visible(text)}", file=sys.stderr, flush=True)  # noqa: T201 - this is the one place that prints


def result(document: Any, text: str, *, as_json: bool, mark: str = "") -> None:
    """Print the result: the document as JSON, or the text, with the `mark` of `tell` before it."""
    print(json.dumps(document, indent=2) if as_json else f"{mark}{visible(text)}", flush=True)  # noqa: T201 - as above


def proposed_lines(document: Mapping[str, Any]) -> list[str]:
    """Return the line that says who has proposed a thing that takes two people, if somebody has."""
    if not (proposed := document.get("proposed")):
        return []
    how = "".join(f", {name}: {json.dumps(value)}" for name, value in proposed["terms"].items())
    return [f"{'proposed':<12} by {proposed['by']} on {minute(proposed['at'])} UTC{how}"]


def failure(error: BothwaysError, *, as_json: bool) -> None:
    """Print what went wrong: the sentences on stderr, and as JSON on stdout where that was asked for."""
    if as_json:
        result(error.document(), "", as_json=True)
    tell(str(error))


def day(moment: str) -> str:
    """Return the day of a moment in a document, which is ISO 8601, for people."""
    return moment[:10]


def minute(moment: str) -> str:
    """Return the day and minute of a moment in a document, for people."""
    return moment[:16].replace("T", " ")


def second(moment: str) -> str:
    """Return the day and second of a moment in a document, for people."""
    return moment[:19].replace("T", " ")


def finding_line(document: Mapping[str, str]) -> str:
    """Return a finding of a document as one line, as `str` returns one."""
    where = f" ({document['subject']})" if document["subject"] else ""
    return f"{document['id']}: {document['message']}{where}. {document['hint']}"


def table(rows: Sequence[tuple[object, ...]], heads: tuple[str, ...]) -> str:
    """Return rows as a plain table that people can read and programs can cut; no cell makes a line of its own."""
    texts = [heads, *(tuple("" if each is None else str(each).replace("\n", "\\n") for each in row) for row in rows)]
    widths = [max(len(text[column]) for text in texts) for column in range(len(heads))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(text, widths, strict=True)).rstrip() for text in texts)
    return "\n".join(lines)
