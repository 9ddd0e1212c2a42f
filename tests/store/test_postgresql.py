"""A real PostgreSQL from a wheel: what differs from SQLite."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select
from tests.eventually import eventually
from tests.postgresql import connected, new_database, new_schema, pooled

from bothways.errors import Conflict, Unusable
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import audit, customers, postgresql, schema
from bothways.store.database import Database, create, created, open_existing


@pytest.fixture
def url() -> str:
    return new_schema()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(create(url, "PPR")) as opened:
        yield opened


def add(database: Database, now: datetime, tsp_id: str) -> None:
    with database.write(now, "tester") as transaction:
        customers.add(transaction, Customer(tsp_id, CustomerKind.ISSUER, "First Bank", now))
        transaction.audit("customer.add", tsp_id, kind="issuer", organization="First Bank")


def listed(database: Database) -> list[str]:
    with database.read() as connection:
        return [each.tsp_id for each in customers.every(connection)]


def test_what_is_committed_is_found_when_it_is_opened_again(database: Database, url: str, now: datetime) -> None:
    add(database, now, "1")
    with closing(open_existing(url, "PPR")) as second:
        assert listed(second) == ["1"]


def test_whoever_waits_hears_of_changes_and_of_nothing_else(
    database: Database, url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_existing(url, "PPR")) as second, closing(database.changes()) as changes:
        before = changes.value()
        # Nothing is asked from now on: what is heard was told by the commit.
        monkeypatch.setattr(postgresql, "_POLL_SECONDS", float("inf"))
        listed(second)
        with second.write(now, "tester"):
            pass
        assert changes.value() == before
        add(second, now, "1")
        eventually(lambda: changes.value() == before + 1)
        assert changes.value() == before + 1


def test_without_a_word_it_is_asked_all_the_same(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(database.changes()) as changes:
        before = changes.value()
        monkeypatch.setattr(postgresql, "_POLL_SECONDS", 0.0)
        with database.write(now, "tester") as transaction:
            transaction.connection.exec_driver_sql("UPDATE hub SET changes = changes + 10")
        assert changes.value() == before + 11


def test_a_connection_that_is_lost_is_said_and_made_anew(
    database: Database, url: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_POLL_SECONDS", 0.0)
    changes = database.changes()
    before = changes.value()
    with connected(url) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()")
    with pytest.raises(Unusable, match="cannot be asked for changes"):
        changes.value()
    add(database, now, "1")
    assert changes.value() == before + 1
    changes.close()


def test_the_turn_is_lost_with_its_connection_and_taken_by_who_looks_first(database: Database, url: str) -> None:
    with (
        closing(open_existing(url, "PPR")) as second,
        closing(database.turn()) as one,
        closing(second.turn()) as other,
    ):
        assert [one.mine(), other.mine(), one.mine(), other.mine()] == [True, False, True, False]
        with connected(url) as server:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()")
        # Each hears first that its connection is gone.
        assert [other.mine(), one.mine()] == [False, False]
        assert [other.mine(), one.mine(), other.mine()] == [True, False, True]
        other.give_back()
        # The server forgets a connection a moment after it was closed.
        eventually(one.mine)
        assert other.mine() is False


def test_what_looks_after_it_was_closed_makes_no_connection_that_nobody_would_close(url: str) -> None:
    with closing(Database(f"{url}&application_name=kept")) as opened, connected(url) as other:
        changes, turn = opened.changes(), opened.turn()
        changes.close()
        turn.close()
        with pytest.raises(Unusable, match="nobody looks"):
            changes.value()
        assert turn.mine() is False
        assert other.execute("SELECT 1 FROM pg_stat_activity WHERE application_name = 'kept'").fetchone() is None


def test_writers_come_one_at_a_time_so_that_the_audit_has_one_order(
    database: Database, url: str, now: datetime
) -> None:
    def write(name: str) -> None:
        with closing(open_existing(url, "PPR")) as own:
            for number in range(20):
                with own.write(now, name) as transaction:
                    transaction.audit("hub.backup", str(number))

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b", "c")]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with database.read() as connection:
        assert audit.first_broken(connection) is None
        assert audit.last(connection)[0] == 60


def test_a_reader_sees_one_state_and_changes_nothing(database: Database, now: datetime) -> None:
    with database.read() as connection:
        assert not customers.every(connection)
        add(database, now, "1")
        assert not customers.every(connection)
    assert listed(database) == ["1"]
    with pytest.raises(Exception, match="read-only"), database.read() as connection:
        connection.execute(schema.hub.delete())


def test_a_hub_is_never_made_over_another_one(database: Database, url: str) -> None:
    with pytest.raises(Conflict, match="holds a hub already"):
        create(url, "PRD")
    assert listed(database) == []


def test_of_a_hub_that_never_came_to_be_nothing_is_left(url: str) -> None:
    def fails() -> None:
        with created(url, "PPR"):
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    with pytest.raises(Unusable, match="holds no hub"):
        open_existing(url, "PPR")
    create(url, "PPR").close()


def test_a_hub_of_another_environment_is_refused(database: Database, url: str) -> None:
    assert listed(database) == []
    with pytest.raises(Unusable, match="belongs to PPR"):
        open_existing(url, "PRD")


def test_a_server_that_is_not_there_is_said() -> None:
    nowhere = f"postgresql://bothways@/bothways?host={quote('/nowhere')}"
    with pytest.raises(Unusable, match=r"the database cannot be used: .*Check that it is there"):
        open_existing(nowhere, "PPR")


@pytest.mark.parametrize(
    ("made_with", "found"),
    [
        ("ENCODING 'SQL_ASCII' LOCALE 'C'", "the encoding SQL_ASCII and the collation C"),
        (
            "ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LOCALE 'C'",
            "the encoding UTF8 and the collation PG_UNICODE_FAST",
        ),
    ],
)
def test_a_database_that_writes_or_orders_text_in_its_own_way_is_refused(made_with: str, found: str) -> None:
    with pytest.raises(Unusable, match=rf"{found}; .*LOCALE 'C.UTF-8'"):
        create(new_database(made_with), "PPR")


def test_a_pooler_that_lends_sessions_for_a_transaction_is_refused_and_one_that_keeps_them_is_not(
    tmp_path: Path,
) -> None:
    direct = new_database()
    with pooled(direct, "transaction", tmp_path) as lending:
        with pytest.raises(Unusable, match="pool_mode = transaction"):
            create(lending, "PPR")
        create(direct, "PPR").close()
        # Also once it has many, of which others are free.
        with ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(connected(lending)).execute("BEGIN")
        with pytest.raises(Unusable, match="Name the server itself"):
            open_existing(lending, "PPR")
    with (
        pooled(direct, "session", tmp_path) as keeping,
        closing(open_existing(keeping, "PPR")) as opened,
        closing(open_existing(direct, "PPR")) as another,
        closing(opened.turn()) as one,
        closing(another.turn()) as other,
    ):
        assert (one.mine(), other.mine()) == (True, False)


def test_moments_are_in_utc_whatever_the_server_thinks(database: Database, now: datetime) -> None:
    add(database, now, "1")
    with database.read() as connection:
        found = connection.execute(select(schema.customer.c.created_at)).scalar_one()
    assert (found, found.tzinfo) == (now, now.tzinfo)
