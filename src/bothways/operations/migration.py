"""A hub whose database an earlier release made is brought to the schema of this one: whole, or not at all."""

import shutil
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bothways import files
from bothways.operations.agreement import agreed, set_agreed
from bothways.operations.alone import alone
from bothways.operations.audit_head import HEAD_FILE
from bothways.operations.directory import passphrase, read_terms
from bothways.operations.hub import DATABASE_FILE, now
from bothways.operations.key_files import KEYS, key_files, remove_taken, take_in
from bothways.operations.settings import read_settings
from bothways.store import migration, version
from bothways.store.copies import copy_database
from bothways.store.database import Database, open_older
from bothways.store.migration import Step


@dataclass(frozen=True, slots=True)
class Migration:
    """Which schema was found, and the steps from there to the present one; none if it is that already.

    `key_files` counts files of keys, which an earlier release kept beside the database; `left` are those of them that
    belong to nothing. `kept` is the directory with what one needs to go back: the database and the signed head of its
    audit, unless it is in PostgreSQL, and the files of keys.
    """

    database: str
    found: int
    wanted: int
    steps: tuple[Step, ...]
    key_files: int = 0
    kept: Path | None = None
    left: tuple[Path, ...] = ()

    @property
    def is_due(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.steps or self.key_files)

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        steps = [{"schema": each.version, "text": each.text} for each in self.steps]
        kept = str(self.kept) if self.kept else None
        document = {"database": self.database, "found": self.found, "wanted": self.wanted, "steps": steps, "kept": kept}
        return document | {"key_files": self.key_files, "left": [str(each) for each in self.left]}


def plan_migration(directory: Path) -> Migration:
    """Return what a migration of the hub in a directory would do. Raises `Unusable` if its schema is newer."""
    with closing(_opened(directory)) as database:
        return _planned(database, directory)


def migrate_hub(directory: Path, actor: str) -> Migration:
    """Bring the database to the present schema, with the keys in it, in one transaction; a file is copied before.

    The files of keys go when that is committed.

    Raises `Conflict` if the hub runs, `Unusable` if the schema is newer or the copy cannot be made.
    """
    with alone(directory), closing(_opened(directory)) as database:
        plan = _planned(database, directory)
        if not plan.is_due:
            return plan
        kept = _keep(directory, plan, database) if plan.steps else None
        try:
            _migrate(database, directory, actor, plan)
        except BaseException:
            # Nothing was changed, so that there is nothing to go back to.
            if kept:
                shutil.rmtree(kept, ignore_errors=True)
            raise
        return replace(plan, kept=kept, left=remove_taken(database, directory))


def migrate_restored(directory: Path, actor: str) -> None:
    """Do the same with what was just taken from a backup: its copy is the backup. Raises `Unusable` if it is newer."""
    with closing(_opened(directory)) as database:
        if (plan := _planned(database, directory)).is_due:
            _migrate(database, directory, actor, plan)
            remove_taken(database, directory)


def _migrate(database: Database, directory: Path, actor: str, plan: Migration) -> None:
    secret = passphrase(directory, read_settings(directory)) if plan.key_files else b""
    # Tables are changed only while nobody works on the database; a key is taken in at any time.
    begin = database.rebuild if plan.steps else database.write
    with begin(now(), actor) as transaction:
        migration.migrate(transaction)
        take_in(transaction, directory, secret)
        if agreed(transaction.connection) is None:
            set_agreed(transaction, read_terms(directory))


def _opened(directory: Path) -> Database:
    settings, terms = read_settings(directory), read_terms(directory)
    return open_older(settings.database or directory / DATABASE_FILE, terms.environment.value)


def _planned(database: Database, directory: Path) -> Migration:
    with database.read() as connection:
        found = version.found(connection, database.place)
    steps = migration.steps_after(found)
    return Migration(str(database.place), found, version.VERSION, steps, len(key_files(directory)))


def _keep(directory: Path, plan: Migration, database: Database) -> Path | None:
    """Copy what one needs to go back to the release before: what goes, and what is changed here."""
    in_file = isinstance(database.place, Path)
    if not in_file and not plan.key_files:
        return None
    kept = directory / f"schema-{plan.found}-{now():%Y%m%dT%H%M%S}Z"
    files.make_directory(kept)
    try:
        if in_file:
            copy_database(directory / DATABASE_FILE, kept / DATABASE_FILE)
            head = files.read(directory / HEAD_FILE, "the signed head of the audit")
            files.write_new(kept / HEAD_FILE, head, files.PRIVATE)
        for each in key_files(directory):
            files.make_directory(kept / KEYS)
            files.write_new(kept / KEYS / each.name, files.read_private(each, "a private key"), files.PRIVATE)
    except BaseException:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    return kept
