"""A hub's database from its file into PostgreSQL: everything, compared, or nothing; the file stays as it is."""

from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bothways.errors import Conflict
from bothways.operations.agreement import set_agreed
from bothways.operations.alone import alone
from bothways.operations.hub import Hub
from bothways.store import audit, postgresql
from bothways.store.database import Database, open_existing
from bothways.store.transfer import Copied, transfer


@dataclass(frozen=True, slots=True)
class Move:
    """What was copied, table by table; `lines` are those of the audit that came along, `whole` says if they verify."""

    source: Path
    target: str
    tables: tuple[Copied, ...]
    lines: int
    whole: bool

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return sum(each.rows for each in self.tables)

    def document(self) -> dict[str, Any]:
        """Return it as the JSON object that the command line shows."""
        document = {"source": str(self.source), "target": self.target, "rows": self.rows, "audit_lines": self.lines}
        return document | {"audit_whole": self.whole, "tables": [asdict(each) for each in self.tables]}


def move_hub(hub: Hub, url: str) -> Move:
    """Copy the hub's database into an empty one of PostgreSQL, in one transaction there, and compare every table.

    Nobody writes here meanwhile. Raises `Conflict` if the hub runs, if its database is no file, or if something is in
    the target; `Unusable` if the target cannot be used, or a row be stored there.
    """
    place = hub.database.place
    if not isinstance(place, Path):
        raise Conflict(f"the database of this hub is in PostgreSQL already: {place}")
    with ExitStack() as stack:
        stack.enter_context(alone(hub.directory))
        target = stack.enter_context(closing(Database(url)))
        target.require_free()
        observed = stack.enter_context(hub.observations.read())
        # It writes nothing: while it lasts, nobody else does.
        source = stack.enter_context(hub.write()).connection
        with target.write(hub.now(), hub.actor, hub.request_id) as transaction:
            # Since then, another one may have begun the same.
            postgresql.require_empty(transaction.connection)
            tables = transfer(source, observed, transaction.connection)
            lines, _ = audit.last(transaction.connection)
            move = Move(place, url, tables, lines, audit.first_broken(transaction.connection) is None)
            set_agreed(transaction, hub.terms)
            transaction.audit(
                "hub.move", "database", rows=move.rows, tables={each.table: each.digest for each in tables}
            )
    open_existing(url, hub.environment.value).close()
    return move
