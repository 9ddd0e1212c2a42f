"""`bothways hub migrate`."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import actor, hub_in
from bothways.cli.output import HERE, Directory, Json, result, tell
from bothways.operations.audit import verify_audit
from bothways.operations.key_files import KEYS
from bothways.operations.migration import migrate_hub, plan_migration


def migrate(
    *,
    directory: Directory = HERE,
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would be done, and change nothing.")] = False,
    json: Json = False,
) -> int:
    """Bring the database of a hub that an earlier release made to the schema of this one, with its keys in it.

    Whole or not at all, in one transaction, and not while the hub runs. A database that is a file is copied before.
    See docs/operation.md.
    """
    plan = plan_migration(directory)
    steps = "\n".join(f"  {each.version}  {each.text}" for each in plan.steps)
    if not plan.is_due:
        text = f"{plan.database} has the schema {plan.found} already. There is nothing to do."
        result(plan.document() | {"done": False}, text, as_json=json)
        return OK
    if plan.steps:
        tell(f"{plan.database} has the schema {plan.found}, wanted {plan.wanted}. The steps:\n{steps}")
    if plan.key_files:
        tell(f"{plan.key_files} files of keys are in {directory / KEYS}: they go into the database.")
    if dry_run:
        result(plan.document() | {"done": False}, "Nothing was changed.", as_json=json)
        tell(f"To do it, end the hub, then: bothways hub migrate --directory {directory}")
        return OK
    done = migrate_hub(directory, actor())
    # That it opens is a part of the proof; and the head of the audit is signed when it is closed.
    with hub_in(directory) as hub:
        audit = verify_audit(hub)
    text = f"{done.database} has the schema {done.wanted}; its audit is {'whole' if audit.whole else 'NOT whole'}."
    result(done.document() | {"done": True, "audit_whole": audit.whole}, text, as_json=json)
    for each in done.left:
        tell(f"{each} is no key of this hub's, or another one than the database has, and was left. Put it away.")
    if done.kept:
        tell(
            f"What was changed is, as it was, in {done.kept}. To go back to the release before: end the hub, remove "
            "hub.db-wal and hub.db-shm, and copy what is in that directory over what the hub has. Remove it when you "
            "will not: the keys are in it."
        )
    tell(f"Next: bothways hub run --directory {directory}")
    return OK if audit.whole else FAILED
