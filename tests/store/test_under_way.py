"""The last word of each thing, on both databases; what is long over is forgotten, and nothing of another kind."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from bothways.store import under_way
from bothways.store.observations import ObservationStore
from bothways.store.schema_under_way import under_way as table


def test_the_last_word_counts_and_nobody_elses(store: ObservationStore, now: datetime) -> None:
    with store.write(now) as transaction:
        under_way.tell(transaction, "probe", {"1": {"over": False}, "2": {}})
        under_way.tell(transaction, "probe", {"1": {"over": True}})
    with store.read() as connection:
        word = under_way.told(connection, "probe", "1", now)
        assert word
        assert word.document == {"over": True}
        assert timedelta(0) <= word.age < timedelta(minutes=1)
        assert under_way.told(connection, "knock", "1", now) is None
        assert under_way.documents(connection, "probe", ["1", "3"]) == {"1": {"over": True}}
        assert under_way.documents(connection, "probe", []) == {}


def test_what_is_long_over_is_forgotten_and_nothing_of_another_kind(store: ObservationStore) -> None:
    now = datetime.now(UTC)
    with store.write(now) as transaction:
        for kind in ("probe", "knock"):
            under_way.tell(transaction, kind, {"old": {}})
        transaction.connection.execute(update(table).values(told_at=now - timedelta(minutes=2)))
        under_way.tell(transaction, "knock", {"new": {}}, kept=timedelta(minutes=1))
    with store.read() as connection:
        assert [*under_way.documents(connection, "knock", ["old", "new"])] == ["new"]
        assert under_way.documents(connection, "probe", ["old"]) == {"old": {}}
        word = under_way.told(connection, "probe", "old", now)
        assert word
        assert word.age >= timedelta(minutes=2)


def test_what_is_taken_is_taken_once(store: ObservationStore) -> None:
    now = datetime.now(UTC)
    with store.write(now) as transaction:
        under_way.tell(transaction, "passkey", {"a": {"person": 1}})
        word = under_way.take(transaction, "passkey", "a")
        assert word
        assert (word.document, word.age < timedelta(minutes=1)) == ({"person": 1}, True)
        assert under_way.take(transaction, "passkey", "a") is None
