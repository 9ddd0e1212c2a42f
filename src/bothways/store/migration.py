"""From the schema of an earlier release to the present one: which steps there are, and all of them in one go."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from bothways.errors import Unusable
from bothways.store import audit, version
from bothways.store.database import Transaction

REVISIONS = Path(__file__).with_name("revisions")
"""Where Alembic finds them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One revision: its number, and what it does, in a sentence."""

    version: int
    text: str


def steps_after(found: int) -> tuple[Step, ...]:
    """Return the steps that lead from a revision to the present one, in their order."""
    script = ScriptDirectory.from_config(_config())
    steps = [Step(int(each.revision), each.doc) for each in script.walk_revisions()]
    return tuple(sorted((each for each in steps if each.version > found), key=lambda each: each.version))


def migrate(transaction: Transaction) -> None:
    """Bring the schema up to date, and write the line of the audit; the transaction is one that may change tables.

    Raises `Unusable` if lines of the audit would verify no more that did before.
    """
    connection = transaction.connection
    if (found := version.found(connection, "the database")) == version.VERSION:
        # Another one was faster.
        return
    broken = audit.first_broken(connection)
    upgrade(connection)
    if audit.first_broken(connection) != broken:
        raise Unusable(
            "the audit would verify no more. Nothing was changed: keep the bothways that made it, and report this."
        )
    transaction.audit("hub.migrate", "schema", before=found, after=version.VERSION)


def upgrade(connection: Connection) -> None:
    """Run the revisions that a database does not have yet; in one that is empty, all of them."""
    config = _config()
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version.table.name
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    # Its own character for what it puts in place of names.
    config.set_main_option("script_location", str(REVISIONS).replace("%", "%%"))
    return config
