"""The audit: whether it is as it was written, and its lines for other systems to keep."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bothways.errors import BothwaysError, Refused, Unusable
from bothways.findings import Finding, Level, errors
from bothways.operations.audit_head import HEAD_FILE, SignedHead, read_head, sign_head, stored_head
from bothways.operations.hub import Hub
from bothways.store import append_only, audit, statement_keys
from bothways.store.audit_search import ALL, AuditFilter, newest_first, oldest_first
from bothways.store.schema import audit as audit_table
from bothways.store.statement_keys import Purpose

_CITATION = "docs/audit.md"
_COMPARE = "Keep the database as it is, and compare it with a backup and with what `bothways audit export` gave out."


@dataclass(frozen=True, slots=True)
class Known:
    """A line that somebody wrote down, and where it is known from."""

    lines: int
    hash: str
    subject: str


@dataclass(frozen=True, slots=True)
class AuditState:
    """How many lines there are, the hash of the last one, and what is wrong; `signed` is the head in the directory."""

    lines: int
    hash: str
    findings: tuple[Finding, ...]
    signed: SignedHead | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, removed, put in or cut off, as far as it can be known."""
        return not errors(self.findings)

    def document(self) -> dict[str, Any]:
        """Return the state as the JSON object that the command line shows."""
        signed = self.signed and {
            "lines": self.signed.lines,
            "hash": self.signed.hash,
            "at": self.signed.at.isoformat(),
            "spki_pin": self.signed.spki_pin,
        }
        return {
            "whole": self.whole,
            "lines": self.lines,
            "head": f"{self.lines}:{self.hash}",
            "signed_head": signed,
            "findings": [each.document() for each in self.findings],
        }


def verify_audit(hub: Hub, known: Iterable[Known] = ()) -> AuditState:
    """Compute the chain of hashes anew, and look for the lines that are known: those given, and the signed head's."""
    signed, findings = _signed(hub)
    wanted = [*known, *([Known(signed.lines, signed.hash, HEAD_FILE)] if signed else [])]
    with hub.read() as connection:
        lines, digest = audit.last(connection)
        pin = statement_keys.find(connection, Purpose.AUDIT).spki_pin
        if (broken := audit.first_broken(connection)) is not None:
            message = (
                f"the audit is broken at line {broken} of {lines}: that line, or one before it, was changed, removed "
                "or put in after it was written"
            )
            findings.append(_finding("AUDIT-01", message, _COMPARE))
        findings += [each for one in wanted for each in _missing(connection, one, lines)]
        if gone := append_only.missing_triggers(connection, audit_table):
            message = f"the database lets lines be changed, for {', '.join(gone)} was taken out of it"
            findings.append(_finding("AUDIT-06", message, _COMPARE))
    if signed and (signed.spki_pin, signed.environment) != (pin, hub.environment.value):
        message = f"the head is signed by the key {signed.spki_pin}, wanted {pin}, which is the audit's"
        findings.append(_finding("AUDIT-05", message, _COMPARE, HEAD_FILE))
    return AuditState(lines, digest, tuple(findings), signed)


def compare_audit(hub: Hub, exported: bytes, subject: str) -> tuple[Finding, ...]:
    """Compare what `bothways audit export` gave out earlier, lines with or without a signed head, with what is there.

    Raises `Refused` if it is no export, or was changed itself.
    """
    lines = [each for each in exported.splitlines() if each.strip()]
    documents = [_read(line, number, subject) for number, line in enumerate(lines, 1)]
    heads = [read_head(line, subject) for line, each in zip(lines, documents, strict=True) if "head" in each]
    given = {each["sequence"]: each["hash"] for each in documents if "sequence" in each}
    findings: list[Finding] = []
    with hub.read() as connection:
        total, _ = audit.last(connection)
        pin = statement_keys.find(connection, Purpose.AUDIT).spki_pin
        there = {each["sequence"]: each["hash"] for each in audit.every(connection, min(given, default=1) - 1)}
        for head in heads:
            findings += _missing(connection, Known(head.lines, head.hash, subject), total)
    if differs := [number for number, digest in given.items() if there.get(number) != digest]:
        message = f"line {differs[0]} of the audit is not the one that was exported, or is not there any more"
        findings.append(_finding("AUDIT-03", f"{message}; {len(differs)} such lines in all", _COMPARE, subject))
    for head in heads:
        if head.spki_pin != pin:
            message = f"the export is signed by the key {head.spki_pin}, the audit here by {pin}"
            findings.append(_finding("AUDIT-05", message, _COMPARE, subject))
    return tuple(findings)


def sign_head_anew(hub: Hub, reason: str) -> None:
    """Sign the head of the audit as it is, after a person looked at what became of the one before; it is recorded."""
    with hub.write() as transaction:
        transaction.audit("audit.head", HEAD_FILE, reason=reason)
    sign_head(hub, anew=True)


def signed_head(hub: Hub) -> dict[str, Any]:
    """Return the signed head as a JSON object, of all lines if it can be signed. Raises `Unusable` without one."""
    with suppress(BothwaysError):
        sign_head(hub)
    return stored_head(hub.directory)


def export_audit(
    hub: Hub, after: int = 0, wanted: AuditFilter = ALL, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the lines after a sequence number as JSON objects, oldest first, at most `limit`, all of one moment."""
    with hub.read() as connection:
        for line in oldest_first(connection, wanted, after, limit):
            yield line | {"at": line["at"].isoformat(timespec="microseconds"), "detail": json.loads(line["detail"])}


def page_audit(
    hub: Hub, before: int = 0, limit: int = 50, wanted: AuditFilter = ALL
) -> tuple[str, tuple[dict[str, Any], ...]]:
    """Return the head of the audit, and at most `limit` lines before a sequence number (0: the last), newest first."""
    with hub.read() as connection:
        lines, digest = audit.last(connection)
        return f"{lines}:{digest}", newest_first(connection, wanted, before, limit)


def moment(text: str, *, whole_day: bool = False) -> datetime:
    """Return the moment that is written as ISO 8601 has it, in UTC if it names no zone; a day is its first moment.

    With `whole_day`, a day is the first moment after it. Raises `Unusable` for anything else.
    """
    try:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=whole_day)
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unusable(f"{text!r} is no day and no moment. Write 2026-11-23, or 2026-11-23T14:05:00Z.") from None


def _signed(hub: Hub) -> tuple[SignedHead | None, list[Finding]]:
    path = hub.directory / HEAD_FILE
    try:
        return read_head(json.dumps(stored_head(hub.directory)).encode(), str(path)), []
    except Refused as error:
        return None, [*error.findings]
    except (Unusable, ValueError) as error:
        message = f"the signed head of the audit cannot be read, so lines cut off at the end are not noticed: {error}"
        hint = "Treat it as an attack, unless you know who took it away. Then: bothways audit head FILE --anew."
        return None, [_finding("AUDIT-04", message.removesuffix("."), hint, str(path))]


def _missing(connection: Connection, known: Known, lines: int) -> Iterator[Finding]:
    if audit.has(connection, known.lines, known.hash):
        return
    message = (
        f"the audit has {lines} lines, but not the line {known.lines}:{known.hash} that was known: lines were cut off "
        "or written anew, or the database was restored from an older backup"
    )
    yield _finding("AUDIT-02", message, _COMPARE, known.subject)


def _read(line: bytes, number: int, subject: str) -> dict[str, Any]:
    try:
        document = json.loads(line)
        if isinstance(document, dict) and ("head" in document or {"sequence", "hash"} <= document.keys()):
            return document
        why = "it is no line of an audit"
    except (ValueError, RecursionError) as error:
        why = str(error)
    message = f"line {number} of the export cannot be read: {why}"
    raise Refused((_finding("AUDIT-03", message, "Give what `bothways audit export` printed, unchanged.", subject),))


def _finding(id_: str, message: str, hint: str, subject: str = "", level: Level = Level.ERROR) -> Finding:
    return Finding(id_, message, hint, _CITATION, subject, level)
