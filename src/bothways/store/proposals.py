"""What was proposed by one person and waits for a second one, in the database."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, bindparam, delete, insert, select

from bothways.store.database import Transaction
from bothways.store.schema_review import proposal


class Kind(StrEnum):
    """What two people decide about."""

    REQUEST = "request"
    CHAIN = "chain"
    ENDPOINT = "endpoint"
    PERSON = "person"
    SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who proposed it, when, and how it is to be decided; `terms` is JSON, empty if nothing was said about that."""

    number: int
    person: str
    at: datetime
    terms: str = ""

    @property
    def how(self) -> dict[str, Any]:
        """How it is to be decided, by the names of the operation's arguments."""
        terms: dict[str, Any] = json.loads(self.terms or "{}")
        return terms

    def document(self) -> dict[str, object]:
        """Return it as the JSON object that API and command line show."""
        return {"by": self.person, "at": self.at.isoformat(), "terms": self.how}


_MANY = select(proposal).where(
    proposal.c.kind == bindparam("of"), proposal.c.number.in_(bindparam("numbers", expanding=True))
)


def many(connection: Connection, kind: Kind, numbers: Collection[int]) -> dict[int, Proposal]:
    """Return what is proposed about these, by number."""
    rows = connection.execute(_MANY, {"of": kind.value, "numbers": list(numbers)})
    return {row.number: Proposal(row.number, row.person, row.at, row.terms) for row in rows}


def proposer(kind: Kind, number: ColumnElement[int]) -> ScalarSelect[str]:
    """Return the column with who proposed the thing of another table's row; null if nobody has."""
    row = proposal.alias()
    return select(row.c.person).where(row.c.kind == kind.value, row.c.number == number).scalar_subquery()


def numbers(*kinds: Kind) -> Select[tuple[int]]:
    """Return the query for the numbers of all things of these kinds that wait for a second person."""
    return select(proposal.c.number).where(proposal.c.kind.in_([each.value for each in kinds]))


def settle(transaction: Transaction, kind: Kind, number: int) -> None:
    """Record that nothing is proposed about this any more."""
    of = proposal.c.kind == kind.value, proposal.c.number == number
    transaction.connection.execute(delete(proposal).where(*of))


def settle_all(transaction: Transaction, kind: Kind) -> None:
    """Record that nothing is proposed about anything of a kind any more."""
    transaction.connection.execute(delete(proposal).where(proposal.c.kind == kind.value))


def put(transaction: Transaction, kind: Kind, numbers: Collection[int], person: str, terms: str = "") -> None:
    """Record who proposes these now, in place of what was proposed about them."""
    earlier = proposal.c.kind == kind.value, proposal.c.number.in_(bindparam("numbers", expanding=True))
    transaction.connection.execute(delete(proposal).where(*earlier), {"numbers": list(numbers)})
    rows = [
        {"kind": kind.value, "number": number, "person": person, "at": transaction.now, "terms": terms}
        for number in numbers
    ]
    if rows:
        transaction.connection.execute(insert(proposal), rows)
