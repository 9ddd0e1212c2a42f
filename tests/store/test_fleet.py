"""What control planes write down of their nodes, on both databases; on PostgreSQL by its clock."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update
from tests.postgresql import new_schema

from bothways.store import fleet
from bothways.store.database import Database, create
from bothways.store.observations import ObservationStore
from bothways.store.schema_fleet import control_plane, node_status

NODE: dict[str, Any] = {"node": "eu-1", "connected": True, "refused": {}}


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObservationStore]:
    if request.param == "postgresql":
        url = new_schema()
        create(url, "PPR").close()
        with closing(ObservationStore(url)) as opened:
            yield opened
    else:
        with closing(ObservationStore(tmp_path / "observations.db")) as opened:
            yield opened


def at_work(store: ObservationStore, now: datetime, *names: str) -> None:
    with store.write(now) as transaction:
        for name in names:
            fleet.begin(transaction, name, f"{name}:8444")


def test_each_reads_what_the_others_wrote_and_what_is_gone_is_gone(store: ObservationStore) -> None:
    now = datetime.now(UTC)
    at_work(store, now, "a", "b")
    with store.write(now) as transaction:
        assert fleet.beat(transaction, "a", 7, 8) is True
        fleet.write(transaction, "a", {1: NODE, 2: NODE | {"node": "eu-2"}}, ())
        fleet.write(transaction, "a", {2: NODE | {"node": "eu-2", "refused": {"listener": "in use"}}}, [1])
    with store.read() as connection:
        [told] = fleet.told(connection, now, besides="b")
        assert (told.name, told.alive, told.confirmed, told.answered) == ("a:8444", True, 7, 8)
        assert [(each["node"], each["refused"]) for each in told.nodes] == [("eu-2", {"listener": "in use"})]
        assert [each.id for each in fleet.told(connection, now, besides="a")] == ["b"]


def test_one_that_is_silent_for_seconds_is_gone_and_after_a_month_forgotten(store: ObservationStore) -> None:
    now = datetime.now(UTC)
    at_work(store, now, "a")
    with store.write(now) as transaction:
        fleet.write(transaction, "a", {1: NODE}, ())

    def silent(since: timedelta) -> list[bool]:
        with store.write(now) as transaction:
            transaction.connection.execute(update(control_plane).values(seen_at=now - since))
        with store.read() as connection:
            return [each.alive for each in fleet.told(connection, now)]

    assert silent(timedelta(0)) == [True]
    assert silent(2 * fleet.GONE) == [False]
    silent(fleet.KEPT + timedelta(minutes=1))
    at_work(store, now, "b")
    with store.read() as connection:
        assert [each.id for each in fleet.told(connection, now)] == ["b"]
        assert connection.execute(select(func.count()).select_from(node_status)).scalar_one() == 0


def test_one_that_is_on_record_no_more_is_told_so(store: ObservationStore, now: datetime) -> None:
    with store.write(now) as transaction:
        assert fleet.beat(transaction, "a", 1, 1) is False


def test_in_postgresql_clocks_that_differ_let_nobody_seem_gone_and_nobody_is_woken() -> None:
    url, moment, hour = new_schema(), datetime.now(UTC), timedelta(hours=1)
    with closing(create(url, "PPR")) as database, closing(ObservationStore(url)) as store:
        assert isinstance(database, Database)
        before = database.change()
        at_work(store, moment + hour, "fast")
        at_work(store, moment - hour, "slow")
        with store.read() as connection:
            for read_at in (moment, moment + hour, moment - hour):
                found = {each.id: each.alive for each in fleet.told(connection, read_at)}
                assert found == {"fast": True, "slow": True}
        assert database.change() == before
