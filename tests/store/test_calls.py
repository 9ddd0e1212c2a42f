from datetime import datetime, timedelta

from bothways.store import calls, observations
from bothways.store.observations import ObservationStore

HOUR = timedelta(hours=1)


def idle(store: ObservationStore, moment: datetime, limit: int = 10) -> tuple[str, ...]:
    with store.read() as connection:
        return calls.idle_since(connection, moment, limit)


def test_a_call_counts_anew_and_being_loaded_only_once(store: ObservationStore, now: datetime) -> None:
    with store.write(now) as transaction:
        calls.called(transaction, ["B", "A"])
        calls.loaded(transaction, ["C"])
    with store.write(now + HOUR) as transaction:
        calls.called(transaction, ["B"])
        calls.loaded(transaction, ["A", "C", "D"])
    assert idle(store, now - HOUR) == ()
    assert idle(store, now) == ("A", "C")
    assert idle(store, now + HOUR) == ("A", "B", "C", "D")
    assert idle(store, now + HOUR, limit=2) == ("A", "B")


def test_who_was_let_go_or_removed_is_forgotten_until_it_is_loaded_again(
    store: ObservationStore, now: datetime
) -> None:
    with store.write(now) as transaction:
        calls.called(transaction, ["A", "B", "C"])
        calls.forget(transaction, ["A"])
        observations.forget(transaction, "B")
    assert idle(store, now) == ("C",)
    with store.write(now + HOUR) as transaction:
        calls.loaded(transaction, ["A"])
    assert idle(store, now + HOUR) == ("A", "C")
