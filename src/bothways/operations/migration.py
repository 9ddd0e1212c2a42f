"""A hub whose database an earlier release made is brought to the schema of this one: whole, or not at all."""

import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bothways import files
from bothways.operations.alone import alone
from bothways.operations.audit_head import HEAD_FILE
from bothways.operations.hub import DATABASE_FILE, now, read_terms
from bothways.operations.settings import read_settings
from bothways.store import migration, version
from bothways.store.copies import copy_database
from bothways.store.database import Database, open_older
from bothways.store.migration import Step


@dataclass(frozen=True, slots=True)
class Migration:
    """Which schema was found, and the steps from there to the present one; none if it is that already.

    `kept` is the directory with the database as it was, and the signed head of its audit; None for PostgreSQL.
    """

    database: str
    found: int
    wanted: int
    steps: tuple[Step, ...]
    kept: Path | None = None

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        steps = [{"schema": each.version, "text": each.text} for each in self.steps]
        kept = str(self.kept) if self.kept else None
        return {"database": self.database, "found": self.found, "wanted": self.wanted, "steps": steps, "kept": kept}


def plan_migration(directory: Path) -> Migration:
    """Return what a migration of the hub in a directory would do. Raises `Unusable` if its schema is newer."""
    with closing(_opened(directory)) as database:
        return _planned(database)


def migrate_hub(directory: Path, actor: str) -> Migration:
    """Bring the database to the present schema, in one transaction; a file is copied before.

    Raises `Conflict` if the hub runs, `Unusable` if the schema is newer or the copy cannot be made.
    """
    with alone(directory), closing(_opened(directory)) as database:
        plan = _planned(database)
        if not plan.steps:
            return plan
        kept = _keep(directory, plan) if isinstance(database.place, Path) else None
        try:
            with database.rebuild(now(), actor) as transaction:
                migration.migrate(transaction)
        except BaseException:
            # Nothing was changed, so that there is nothing to go back to.
            if kept:
                shutil.rmtree(kept, ignore_errors=True)
            raise
        return replace(plan, kept=kept)


def migrate_restored(directory: Path, actor: str) -> None:
    """Do the same with what was just taken from a backup: its copy is the backup. Raises `Unusable` if it is newer."""
    with closing(_opened(directory)) as database:
        if _planned(database).steps:
            with database.rebuild(now(), actor) as transaction:
                migration.migrate(transaction)


def _opened(directory: Path) -> Database:
    settings, terms = read_settings(directory), read_terms(directory)
    return open_older(settings.database or directory / DATABASE_FILE, terms.environment.value)


def _planned(database: Database) -> Migration:
    with database.read() as connection:
        found = version.found(connection, database.place)
    return Migration(str(database.place), found, version.VERSION, migration.steps_after(found))


def _keep(directory: Path, plan: Migration) -> Path:
    """Copy what one needs to go back to the release before: the database, and the signed head of its audit."""
    kept = directory / f"schema-{plan.found}-{now():%Y%m%dT%H%M%S}Z"
    files.make_directory(kept)
    try:
        copy_database(directory / DATABASE_FILE, kept / DATABASE_FILE)
        files.write_new(
            kept / HEAD_FILE, files.read(directory / HEAD_FILE, "the signed head of the audit"), files.PRIVATE
        )
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    return kept
