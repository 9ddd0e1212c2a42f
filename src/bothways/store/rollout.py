"""How far the last change has come among the nodes, in the database: every control plane goes by it.

What all nodes may have in common stands here, and what one of them refused: so neither a restart nor another control
plane gives to all what was held back, or what nobody has tried.
"""

import json
from typing import Any

from sqlalchemy import Connection, select, update

from bothways.store.database import Transaction
from bothways.store.schema import hub

Document = dict[str, Any]


def find(connection: Connection) -> tuple[Document | None, Document | None]:
    """Return what all nodes may have in common, and what is held back; None for what nobody has said."""
    given, held = connection.execute(select(hub.c.given, hub.c.held_back)).one()
    return json.loads(given) if given else None, json.loads(held) if held else None


def give(transaction: Transaction, given: Document) -> None:
    """Put on record what all nodes may have in common."""
    transaction.connection.execute(update(hub).values(given=json.dumps(given)))


def hold(transaction: Transaction, held: Document | None) -> None:
    """Put on record what is held back; None: nothing is any more."""
    transaction.connection.execute(update(hub).values(held_back=json.dumps(held) if held else None))
