from datetime import datetime, timedelta

from bothways.store import answered
from bothways.store.answered import Answered
from bothways.store.database import Database


def test_an_answer_is_kept_under_its_key_for_who_asked(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        answered.begin(transaction, "ann", "k", "d")
        assert answered.find(transaction.connection, "ann", "k") == Answered("d")
        answered.finish(transaction, "ann", "k", 201, "{}")
    with database.read() as connection:
        assert answered.find(connection, "ann", "k") == Answered("d", 201, "{}")
        assert answered.find(connection, "bob", "k") is None
        assert answered.find(connection, "ann", "other") is None


def test_keys_are_forgotten_by_name_and_by_age(database: Database, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        for key in ("a", "b"):
            answered.begin(transaction, "ann", key, "d")
        answered.forget(transaction, "ann", "a")
        assert answered.find(transaction.connection, "ann", "a") is None
        answered.forget_before(transaction, now)
        assert answered.find(transaction.connection, "ann", "b") == Answered("d")
        answered.forget_before(transaction, now + timedelta(seconds=1))
        assert answered.find(transaction.connection, "ann", "b") is None
