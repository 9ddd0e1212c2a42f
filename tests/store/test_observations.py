import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import NOW

from bothways.connectivity.observation import MatchedBy, Observation
from bothways.errors import Unusable
from bothways.findings import Finding
from bothways.store import observations
from bothways.store.observations import ObservationStore

FINDING = Finding("INBOUND-TLS-01", "no client certificate was sent", "Give one.", "R1")
RECORD = Observation(FINDING, "12345678", MatchedBy.SUBJECT, "192.0.2.1", "", NOW, NOW)
STRANGER = replace(RECORD, tsp_id=None, matched_by=None)
PROVED = replace(RECORD, matched_by=MatchedBy.HANDSHAKE)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "observations.db"


@pytest.fixture
def store(place: Path) -> Iterator[ObservationStore]:
    opened = ObservationStore(place)
    yield opened
    opened.close()


@pytest.fixture
def add(store: ObservationStore) -> Callable[..., None]:
    def write(*records: Observation, now: datetime = NOW) -> None:
        with store.write(now) as transaction:
            observations.add(transaction, records)

    return write


@pytest.fixture
def recent(store: ObservationStore) -> Callable[..., tuple[Observation, ...]]:
    def read(tsp_id: str | None = None, *, unmatched: bool = False, after: int = 0) -> tuple[Observation, ...]:
        with store.read() as connection:
            return observations.recent(connection, tsp_id, unmatched=unmatched, after=after)

    return read


def test_what_was_stored_comes_back_the_last_first(add: Callable[..., None], recent: Callable[..., object]) -> None:
    add(RECORD, STRANGER)
    assert recent() == (replace(STRANGER, id=2), replace(RECORD, id=1))
    assert recent("12345678") == (replace(RECORD, id=1),)
    assert recent(unmatched=True) == (replace(STRANGER, id=2),)
    assert recent(after=2) == (replace(RECORD, id=1),)
    assert recent("other") == ()


def test_the_same_again_counts_within_an_hour_and_comes_first(
    add: Callable[..., None], recent: Callable[..., object]
) -> None:
    soon, later = NOW + timedelta(minutes=59), NOW + timedelta(hours=2)
    add(RECORD, STRANGER)
    add(replace(RECORD, first_at=soon, last_at=soon, count=2))
    counted = replace(RECORD, last_at=soon, count=3, id=3)
    assert recent() == (counted, replace(STRANGER, id=2))
    add(replace(RECORD, first_at=later, last_at=later))
    assert recent("12345678") == (replace(RECORD, first_at=later, last_at=later, id=4), counted)


@pytest.mark.parametrize(
    "other",
    [
        replace(RECORD, source="192.0.2.2"),
        replace(RECORD, fingerprint="ab"),
        replace(RECORD, matched_by=MatchedBy.SOURCE),
        replace(RECORD, finding=replace(FINDING, message="another")),
        replace(RECORD, tsp_id="87654321"),
    ],
)
def test_what_differs_is_another_one(
    add: Callable[..., None], recent: Callable[..., tuple[Observation, ...]], other: Observation
) -> None:
    add(RECORD)
    add(other)
    assert [each.count for each in recent()] == [1, 1]


def test_a_bound_number_is_kept_of_each_customer_and_claims_push_out_no_proof(
    add: Callable[..., None], recent: Callable[..., tuple[Observation, ...]]
) -> None:
    add(PROVED, replace(RECORD, tsp_id="87654321"))
    add(*(replace(RECORD, source=f"s{each}") for each in range(3 * observations.OF_CUSTOMER)))
    kept = recent("12345678")
    assert [each.matched_by for each in kept].count(MatchedBy.SUBJECT) == observations.OF_CUSTOMER
    assert kept[0].source == f"s{3 * observations.OF_CUSTOMER - 1}"
    assert kept[-1].matched_by is MatchedBy.HANDSHAKE
    assert len(recent("87654321")) == 1


def test_a_bound_number_is_kept_of_nobody_known(
    add: Callable[..., None], recent: Callable[..., tuple[Observation, ...]]
) -> None:
    add(*(replace(STRANGER, source=f"s{each}") for each in range(observations.UNMATCHED + 5)))
    kept = recent(unmatched=True)
    assert len(kept) == observations.UNMATCHED
    assert kept[-1].source == "s5"


def test_a_bound_number_is_kept_of_all(
    add: Callable[..., None], recent: Callable[..., tuple[Observation, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "ALL", 10)
    add(*(replace(RECORD, tsp_id=f"{each}") for each in range(15)))
    assert [each.tsp_id for each in recent()] == [f"{each}" for each in range(14, 4, -1)]


def test_what_is_old_is_forgotten(add: Callable[..., None], recent: Callable[..., object]) -> None:
    add(RECORD)
    now = NOW + timedelta(days=31)
    add(replace(STRANGER, first_at=now, last_at=now), now=now)
    assert recent("12345678") == ()


def test_failed_calls_are_counted_since_a_moment(store: ObservationStore, add: Callable[..., None]) -> None:
    add(replace(RECORD, count=3), replace(STRANGER, count=4))
    with store.read() as connection:
        assert observations.count(connection, NOW) == {"customers": 3, "unmatched": 4}
        assert observations.count(connection, NOW + timedelta(seconds=1)) == {"customers": 0, "unmatched": 0}


def test_an_address_is_a_customers_while_no_other_is_seen_there(store: ObservationStore) -> None:
    def see(*pairs: tuple[str, str], now: datetime = NOW) -> None:
        with store.write(now) as transaction:
            observations.see_sources(transaction, pairs)

    def found() -> list[str | None]:
        with store.read() as connection:
            return [observations.customer_at(connection, each) for each in ("a", "b", "c")]

    see(("a", "1"), ("b", "1"), ("a", "1"))
    assert found() == ["1", "1", None]
    see(("b", "2"), now=NOW + timedelta(days=20))
    assert found() == ["1", None, None]
    see(now=NOW + timedelta(days=31))
    assert found() == [None, "2", None]


def test_addresses_are_kept_in_bounds(store: ObservationStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "SOURCES", 3)
    for each in range(5):
        with store.write(NOW + timedelta(seconds=each)) as transaction:
            observations.see_sources(transaction, [(f"a{each}", "1")])
    with store.read() as connection:
        assert [observations.customer_at(connection, f"a{each}") for each in range(5)] == [None, None, "1", "1", "1"]


def test_a_customer_is_forgotten_and_no_other(
    store: ObservationStore, add: Callable[..., None], recent: Callable[..., object]
) -> None:
    add(RECORD, STRANGER)
    with store.write(NOW) as transaction:
        observations.see_sources(transaction, [("a", "12345678"), ("b", "2")])
        observations.forget(transaction, "12345678")
    assert recent() == (replace(STRANGER, id=2),)
    with store.read() as connection:
        assert [observations.customer_at(connection, each) for each in ("a", "b")] == [None, "2"]


def test_nobody_else_can_read_the_file(place: Path, add: Callable[..., None]) -> None:
    add(RECORD)
    assert place.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"this is no database" * 100])
def test_a_damaged_file_is_made_anew(
    place: Path, add: Callable[..., None], recent: Callable[..., object], content: bytes
) -> None:
    place.write_bytes(content)
    add(RECORD)
    assert recent() == (replace(RECORD, id=1),)


def test_a_file_of_another_version_is_made_anew(place: Path, store: ObservationStore, add: Callable[..., None]) -> None:
    add(RECORD)
    store.close()
    with sqlite3.connect(place) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    again = ObservationStore(place)
    with again.read() as opened:
        assert observations.recent(opened) == ()
    again.close()


def test_a_file_that_cannot_be_used_is_left_alone_and_told(place: Path, store: ObservationStore) -> None:
    place.mkdir()
    with pytest.raises(Unusable), store.read():
        pass
    assert place.is_dir()
