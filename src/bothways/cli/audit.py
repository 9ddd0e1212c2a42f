"""`bothways audit`: verify, export, head."""

import json as json_lines
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bothways import files
from bothways.cli.arguments import HeadFile
from bothways.cli.asking import DEFAULT, Asked, Document, Here, Where, asked
from bothways.cli.exit import FAILED, OK
from bothways.cli.output import Json, finding_line, is_row_number, result, second, tell
from bothways.errors import Unusable
from bothways.operations.audit import (
    Known,
    compare_audit,
    export_audit,
    moment,
    sign_head_anew,
    signed_head,
    verify_audit,
)
from bothways.operations.audit_head import HEAD_FILE, read_head, sign_head, stored_head
from bothways.operations.hub import Hub
from bothways.store.audit_search import AuditFilter

_DIGITS = 64
_EXPORT_LIMIT = 1 << 30
LINES = 1000
"""Lines that a hub elsewhere is asked for, or given, at once: the most that its API takes."""


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
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Check that no line of the audit was changed, removed, put in or cut off. Exits with 1 if one was."""
    known = None if head is None else _parsed(head)
    exported = None if export_ is None else _content(export_)
    with asked(where) as at:
        query = {} if known is None else {"head": f"{known.lines}:{known.hash}"}
        document = at.show(
            lambda hub: verify_audit(hub, () if known is None else (known,)).document(), ("audit", "verify"), **query
        )
        found = document["findings"] + ([] if exported is None else _compared(at, exported, str(export_)))
    document |= {"whole": not found, "findings": found}
    lines = [f"The audit has {document['lines']} lines. Its head is {document['head']}"]
    if signed := document["signed_head"]:
        lines.append(f"signed head: line {signed['lines']}, at {second(signed['at'])} UTC")
    lines += [finding_line(each) for each in found]
    lines += [] if found else ["The audit is whole: each line continues the one before."]
    result(document, "\n".join(lines), as_json=json)
    if found:
        return FAILED
    tell("Keep the head elsewhere: `bothways audit head FILE` writes it, `bothways audit verify --head FILE` compares.")
    return OK


def export(
    *,
    after: Annotated[int, Parameter(help="The sequence number of the last line that you have.")] = 0,
    actor: Annotated[str, Parameter(help="Only what this one did, as the audit names them.")] = "",
    customer: Annotated[str, Parameter(help="Only what concerns this customer: its tspId.")] = "",
    action: Annotated[str, Parameter(help="Only this action, as chain.endorse.")] = "",
    from_: Annotated[
        str, Parameter(name="--from", help="Only from this day or moment on, as 2026-11-23 or 2026-11-23T14:05Z; UTC.")
    ] = "",
    until: Annotated[str, Parameter(help="Only to the end of this day, or before this moment.")] = "",
    where: Where = DEFAULT,
) -> int:
    """Print the audit as JSON lines, oldest first, and its signed head as the last line: for archives, and watchers."""
    since = moment(from_) if from_ else None
    before = moment(until, whole_day=True) if until else None
    wanted = AuditFilter(actor, customer, action, since, before)
    query = {"actor": actor, "customer": customer, "action": action}
    query |= {name: each.isoformat() for name, each in (("from", since), ("until", before)) if each}
    with asked(where) as at:
        lines = (
            export_audit(at.hub, after, wanted)
            if isinstance(at, Here)
            else at.api.every(("audit",), LINES, after=after, **query)
        )
        # What is to be handed out is needed most when the head cannot be signed.
        signed = at.show(signed_head, ("audit", "head"))
        for line in lines:
            sys.stdout.write(json_lines.dumps(line) + "\n")
        sys.stdout.flush()
        sys.stdout.write(json_lines.dumps(signed) + "\n")
        sys.stdout.flush()
    return OK


def head(
    file: HeadFile,
    *,
    anew: Annotated[
        bool,
        Parameter(negative="", help="Sign it although the head before is gone, or its line; wants a --reason."),
    ] = False,
    reason: Annotated[str | None, Parameter(help="With --anew: what happened. It is recorded.")] = None,
    where: Where = DEFAULT,
    json: Json = False,
) -> int:
    """Write the signed head of the audit to a file, to be kept on another machine."""
    if anew and not reason:
        raise Unusable("--anew covers what was cut off, if anything was. Say what happened: --reason WHY")
    if anew and where.elsewhere():
        raise Unusable("--anew is for the hub's own machine, where what became of the head before can be looked into.")

    def local(hub: Hub) -> Document:
        if anew and reason:
            sign_head_anew(hub, reason)
        sign_head(hub)
        return stored_head(hub.directory)

    with asked(where) as at:
        content = (json_lines.dumps(at.show(local, ("audit", "head"))) + "\n").encode()
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


def _compared(at: Asked, exported: bytes, subject: str) -> list[Document]:
    """Return what differs from the export; a hub elsewhere is given it piece by piece."""
    if isinstance(at, Here):
        return [each.document() for each in compare_audit(at.hub, exported, subject)]
    lines, found = exported.decode(errors="replace").splitlines(keepends=True), list[Document]()
    for start in range(0, len(lines), LINES):
        piece = "".join(lines[start : start + LINES])
        found += at.change(lambda _: {}, "POST", ("audit", "compare"), {"export": piece})["findings"]
    return found


def _content(path: Path) -> bytes:
    return files.read(path, "the export of the audit", _EXPORT_LIMIT)
