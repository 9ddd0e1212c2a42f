"""`bothways spoke contract`: a newer contract of the hub, taken into the spoke that is there; and put back."""

import hashlib
from contextlib import suppress
from typing import Annotated, Any

from cyclopts import Parameter

from bothways.cli.exit import OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.cli.spoke import Directory
from bothways.errors import BothwaysError, Unusable
from bothways.spoke.directory import open_spoke, read_contract, require_fingerprint
from bothways.spoke.new_contract import Replaced, newer, offered, put_back, replace_contract


def contract(
    source: Annotated[
        str | None,
        Parameter(help="The newer contract: a file, or https://PORTAL/contract.toml at the hub's portal."),
    ] = None,
    *,
    from_hub: Annotated[
        bool, Parameter(negative="", help="In place of a file: ask the hub for it, over mutual TLS.")
    ] = False,
    fingerprint: Annotated[
        str | None,
        Parameter(help="SHA-256 of the contract, as the hub's representative read it out: another one is refused."),
    ] = None,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what it would change, and change nothing.")] = False,
    undo: Annotated[bool, Parameter(negative="", help="Put the contract before in force again.")] = False,
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Take a newer contract of the hub into this spoke, and say what it changes and what that means.

    A contract of another hub or environment is refused. The one before is kept, and --undo puts it back; the same again
    takes it forth. Whom it trusts counts at once for call, listen, run and the client library, and is written into
    ca.crt and client-ca.crt. Key and certificate stay as they are.
    """
    spoke = open_spoke(directory)
    if sum((source is not None, from_hub, undo)) != 1 or (undo and (dry_run or fingerprint)):
        raise Unusable("name one of these: the file or address of the contract, --from-hub, or --undo alone.")
    if undo:
        done = put_back(spoke)
        return _told(done, {"outcome": "put back"}, "The contract before is in force again", as_json=json)
    where = source or f"{spoke.contract.terms.endpoint}, over mutual TLS"
    if source is None:
        data = offered(spoke)
        require_fingerprint(data, where, fingerprint)
    else:
        data = read_contract(source, fingerprint)
    done = replace_contract(spoke, data, where, dry_run=dry_run)
    if from_hub and not dry_run:
        with suppress(BothwaysError):
            # It tells the hub what is in force here now. What fails, the next check or the daemon does.
            newer(open_spoke(directory))
    outcome = "same" if not done.changes else "would change" if dry_run else "changed"
    said = {
        "same": f"The contract of {where} is the one in force",
        "would change": f"The contract of {where} is a newer one; nothing was changed",
        "changed": f"The contract of {where} is in force",
    }[outcome]
    found = hashlib.sha256(data).hexdigest()
    return _told(done, {"outcome": outcome, "fingerprint": found}, said, as_json=json)


def _told(done: Replaced, document: dict[str, Any], said: str, *, as_json: bool) -> int:
    document |= {
        "changes": [each.document() for each in done.changes],
        "previous": str(done.previous) if done.previous else None,
    }
    lines = [f"{said}{':' if done.changes else '.'}"]
    for each in done.changes:
        lines += [f"  {each.setting}", f"    before  {each.before}", f"    now     {each.after}"]
        lines.append(f"    means   {each.meaning}")
    result(document, "\n".join(lines), as_json=as_json)
    if any(each.setting.startswith("trust.") for each in done.changes):
        tell("Compare the fingerprints of new CAs with what the hub's representative reads out, by phone.")
    if done.previous and document["outcome"] not in {"same", "would change"}:
        tell(f"The contract before is kept in {done.previous}; --undo puts it back.")
        tell(f"Next: bothways spoke check --directory {done.previous.parent}")
    return OK
