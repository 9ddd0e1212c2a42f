"""`bothways audit`: verify, export."""

import json as json_lines
import sys
from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, is_row_number, result, tell
from bothways.errors import Unusable
from bothways.operations.audit import export_audit, verify_audit

_DIGITS = 64


def verify(
    *,
    head: Annotated[
        str | None, Parameter(help="The head that an earlier `audit verify` printed: finds lines cut off at the end.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Check that no line of the audit was changed, removed or put in. Exits with 1 if one was."""
    known = None if head is None else _parsed(head)
    with hub_in(directory) as hub:
        state = verify_audit(hub, known)
    if state.broken_at is not None:
        text = (
            f"The audit is broken at line {state.broken_at} of {state.lines}: that line, or one before it, was "
            "changed, removed or put in after it was written. Keep the database as it is, and compare it with a "
            "backup and with what `bothways audit export` gave out."
        )
    elif state.missing:
        text = (
            f"The audit has {state.lines} lines, each continuing the one before, but not the line {head} that was "
            "known: lines were cut off or written anew, or the database was restored from an older backup. Compare "
            "it with what `bothways audit export` gave out."
        )
    else:
        found = f"{state.lines} lines, each continuing the one before. Its head is {state.lines}:{state.hash}"
        text = f"The audit is whole: {found}"
    result(state.document(), text, as_json=json)
    if state.whole:
        tell(
            "Write the head down elsewhere: bothways audit verify --head HEAD finds lines that are cut off at the end."
        )
    return OK if state.whole else FAILED


def export(
    *,
    after: Annotated[int, Parameter(help="The sequence number of the last line that you have.")] = 0,
    directory: Directory = HERE,
) -> int:
    """Print the audit as JSON lines, oldest first: for archives, and for systems that watch."""
    with hub_in(directory) as hub:
        for line in export_audit(hub, after):
            sys.stdout.write(json_lines.dumps(line) + "\n")
        sys.stdout.flush()
    return OK


def _parsed(head: str) -> tuple[int, str]:
    number, _, digest = head.partition(":")
    if not (is_row_number(number) and len(digest) == _DIGITS and set(digest) <= set("0123456789abcdef")):
        raise Unusable(f"{head!r} is no head of an audit. Give what `bothways audit verify` printed: NUMBER:SHA256.")
    return int(number), digest
