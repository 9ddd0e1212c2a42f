"""`bothways audit`: verify, export, head."""

import json as json_lines
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, is_row_number, result, tell
from bothways.errors import BothwaysError, Unusable
from bothways.operations.audit import Known, compare_audit, export_audit, sign_head_anew, verify_audit
from bothways.operations.audit_head import HEAD_FILE, read_head, sign_head, stored_head

_DIGITS = 64
_EXPORT_LIMIT = 1 << 30


def verify(
    *,
    head: Annotated[
        str | None,
        Parameter(
            help="A head that is known: NUMBER:SHA256, as an earlier `audit verify` printed it, or a file that "
            "`audit head` wrote. It finds lines that were cut off at the end."
        ),
    ] = None,
    export_: Annotated[
        Path | None, Parameter(name="--export", help="Compare with what `audit export` printed earlier into this file.")
    ] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Check that no line of the audit was changed, removed, put in or cut off. Exits with 1 if one was."""
    known = None if head is None else _parsed(head)
    with hub_in(directory) as hub:
        state = verify_audit(hub, () if known is None else (known,))
        compared = () if export_ is None else compare_audit(hub, _content(export_), str(export_))
    found = (*state.findings, *compared)
    document = state.document() | {
        "whole": state.whole and not compared,
        "findings": [each.document() for each in found],
    }
    lines = [f"The audit has {state.lines} lines. Its head is {state.lines}:{state.hash}"]
    if state.signed:
        lines.append(f"signed head: line {state.signed.lines}, at {state.signed.at:%Y-%m-%d %H:%M:%S} UTC")
    lines += [str(each) for each in found]
    lines += [] if found else ["The audit is whole: each line continues the one before."]
    result(document, "\n".join(lines), as_json=json)
    if found:
        return FAILED
    tell("Keep the head elsewhere: `bothways audit head FILE` writes it, `bothways audit verify --head FILE` compares.")
    return OK


def export(
    *,
    after: Annotated[int, Parameter(help="The sequence number of the last line that you have.")] = 0,
    directory: Directory = HERE,
) -> int:
    """Print the audit as JSON lines, oldest first, and its signed head as the last line: for archives, and watchers."""
    with hub_in(directory) as hub:
        # What is to be handed out is needed most when the head cannot be signed.
        with suppress(BothwaysError):
            sign_head(hub)
        for line in export_audit(hub, after):
            sys.stdout.write(json_lines.dumps(line) + "\n")
        sys.stdout.flush()
        sys.stdout.write(json_lines.dumps(stored_head(hub.directory)) + "\n")
        sys.stdout.flush()
    return OK


def head(
    file: Path,
    *,
    anew: Annotated[
        bool,
        Parameter(negative="", help="Sign it although the head before is gone, or its line; wants a --reason."),
    ] = False,
    reason: Annotated[str | None, Parameter(help="With --anew: what happened. It is recorded.")] = None,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Write the signed head of the audit to a file, to be kept on another machine."""
    if anew and not reason:
        raise Unusable("--anew covers what was cut off, if anything was. Say what happened: --reason WHY")
    with hub_in(directory) as hub:
        if anew and reason:
            sign_head_anew(hub, reason)
        sign_head(hub)
        content = files.read(hub.directory / HEAD_FILE, "the signed head of the audit")
    signed = read_head(content, HEAD_FILE)
    files.write_new(file, content)
    document = {"file": str(file), "head": f"{signed.lines}:{signed.hash}", "spki_pin": signed.spki_pin}
    result(document, f"The head of {signed.lines} lines is in {file}, signed by {signed.spki_pin}.", as_json=json)
    tell(f"Keep it on another machine. Later: bothways audit verify --head {file}")
    return OK


def _parsed(text: str) -> Known:
    number, _, digest = text.partition(":")
    if is_row_number(number) and len(digest) == _DIGITS and set(digest) <= set("0123456789abcdef"):
        return Known(int(number), digest, "--head")
    if text and Path(text).is_file():
        signed = read_head(_content(Path(text)), text)
        return Known(signed.lines, signed.hash, text)
    raise Unusable(
        f"{text!r} is no head of an audit. Give what `bothways audit verify` printed: NUMBER:SHA256, or the file that "
        "`bothways audit head` wrote."
    )


def _content(path: Path) -> bytes:
    return files.read(path, "the export of the audit", _EXPORT_LIMIT)
