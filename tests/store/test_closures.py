"""When the endpoint was shut and opened again comes back from the database as it went in."""

from datetime import datetime, timedelta

from bothways.store import closures
from bothways.store.closures import Closure
from bothways.store.database import Database


def test_a_closure_holds_until_it_ends_and_each_is_counted(database: Database, now: datetime) -> None:
    for number, reason in enumerate(("the first", "the second"), 1):
        with database.write(now, "tester") as transaction:
            assert closures.current(transaction.connection) is None
            closures.add(transaction, reason)
        with database.read() as connection:
            assert closures.current(connection) == Closure(number, now, reason, None)
        with database.write(now + timedelta(hours=1), "tester") as transaction:
            closures.end(transaction, number)
        with database.read() as connection:
            assert (closures.current(connection), closures.count(connection)) == (None, number)
