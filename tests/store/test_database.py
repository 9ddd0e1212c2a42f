import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from bothways.errors import Conflict, NotFound, Unusable
from bothways.operations.chains import endorse_chain
from bothways.operations.hub import Hub
from bothways.registry.customer import Customer, CustomerKind
from bothways.store import audit, customers, schema
from bothways.store.database import Database, create, open_existing

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from bothways.store.database import open_existing

database = open_existing(Path(sys.argv[1]), "PPR")
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    with database.write(datetime.now(UTC), "other") as transaction:
        transaction.audit("hub.backup", str(number))
database.close()
"""


def audit_lines(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.audit)).scalar_one())


def add(database: Database, now: datetime, tsp_id: str) -> None:
    with database.write(now, "tester") as transaction:
        customers.add(transaction, Customer(tsp_id, CustomerKind.ISSUER, "First Bank", now))
        transaction.audit("customer.add", tsp_id, kind="issuer", organization="First Bank")


def test_a_change_and_its_line_in_the_audit_are_there_together(database: Database, now: datetime) -> None:
    add(database, now, "1")
    with database.read() as connection:
        assert [each.tsp_id for each in customers.every(connection)] == ["1"]
    assert audit_lines(database) == 1


def test_when_the_block_raises_neither_the_change_nor_its_line_is_there(database: Database, now: datetime) -> None:
    def fails() -> None:
        with database.write(now, "tester") as transaction:
            customers.add(transaction, Customer("1", CustomerKind.ISSUER, "First Bank", now))
            transaction.audit("customer.add", "1", kind="issuer", organization="First Bank")
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    with database.read() as connection:
        assert customers.every(connection) == ()
    assert audit_lines(database) == 0


def test_a_line_that_cannot_be_written_undoes_the_change(database: Database, now: datetime) -> None:
    def fails() -> None:
        with database.write(now, "tester") as transaction:
            customers.add(transaction, Customer("1", CustomerKind.ISSUER, "First Bank", now))
            transaction.audit("customer.add", "1", kind="issuer", organization="First Bank", detail=object())

    with pytest.raises(TypeError, match="not JSON serializable"):
        fails()
    with database.read() as connection:
        assert customers.every(connection) == ()


def test_nothing_is_stored_about_a_customer_that_is_unknown(database: Database, now: datetime) -> None:
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), database.write(now, "tester") as transaction:
        transaction.insert(schema.probe, tsp_id="9", address="a:443", at=now, ok=True, seen="")


def test_a_reader_goes_on_seeing_one_state_while_another_writes(database: Database, path: Path, now: datetime) -> None:
    with database.read() as connection:
        before = customers.every(connection)
        second = open_existing(path, "PPR")
        add(second, now, "1")
        second.close()
        assert customers.every(connection) == before == ()
    with database.read() as connection:
        assert len(customers.every(connection)) == 1


def test_a_second_writer_waits_for_the_first_and_then_sees_what_it_wrote(
    database: Database, path: Path, now: datetime
) -> None:
    second = open_existing(path, "PPR")
    seen: list[str] = []

    def write() -> None:
        with second.write(now, "second") as transaction:
            seen.extend(each.tsp_id for each in customers.every(transaction.connection))

    thread = threading.Thread(target=write)
    with database.write(now, "first") as transaction:
        thread.start()
        customers.add(transaction, Customer("1", CustomerKind.ISSUER, "First Bank", now))
        # It waits for the lock: were it in, it would have ended by now, without the customer.
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10)
    second.close()
    assert seen == ["1"]


def test_two_processes_that_write_as_fast_as_they_can_lose_nothing(database: Database, path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path), "40"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other,
    ):
        for process in (one, other):
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stdout.readline() == "ready\n"
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        assert (one.wait(60), other.wait(60)) == (0, 0)
    assert audit_lines(database) == 80
    with database.read() as connection:
        assert audit.first_broken(connection) is None


def test_what_is_committed_is_on_disk_and_found_when_it_is_opened_again(path: Path, now: datetime) -> None:
    first = create(path, "PPR")
    add(first, now, "1")
    first.close()
    second = open_existing(path, "PPR")
    with second.read() as connection:
        assert [each.tsp_id for each in customers.every(connection)] == ["1"]
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"
    second.close()


def test_a_database_is_never_made_over_another_one(database: Database, path: Path, now: datetime) -> None:
    add(database, now, "1")
    with pytest.raises(Conflict, match="exists already"):
        create(path, "PRD")
    open_existing(path, "PPR").close()


def missing(_path: Path) -> None:
    """Leave no file there."""


def text_file(path: Path) -> None:
    path.write_text("This is no database, but it is long enough to be taken for the header of one." * 20)


def empty_file(path: Path) -> None:
    path.touch()


def other_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    connection.close()


def damaged(path: Path) -> None:
    create(path, "PPR").close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def changed(statement: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        create(path, "PPR").close()
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()

    return make


@pytest.mark.parametrize(
    ("make", "found", "next_step"),
    [
        (missing, "there is no database at", "bothways hub init"),
        (text_file, "file is not a database", "Restore it from a backup"),
        (empty_file, "holds no hub", "Restore it from a backup"),
        (other_database, "holds no hub", "Restore it from a backup"),
        (damaged, "malformed", "Restore it from a backup"),
        (changed("DELETE FROM hub"), "belongs to no environment", "restore the directory as it was"),
        (changed("UPDATE hub SET environment = 'PRD'"), "belongs to PRD", "restore the directory as it was"),
    ],
)
def test_what_is_no_database_of_this_hub_is_refused_with_what_was_found_and_what_to_do(
    path: Path, make: Callable[[Path], None], found: str, next_step: str
) -> None:
    make(path)
    with pytest.raises(Unusable) as caught:
        open_existing(path, "PPR")
    assert found in str(caught.value)
    assert next_step in str(caught.value)


def test_a_moment_without_a_time_zone_is_not_written(database: Database) -> None:
    with pytest.raises(Exception, match="without a time zone"):
        add(database, datetime(2026, 11, 23, 12, 0), "1")  # noqa: DTZ001 - the naive moment is the point
    add(database, datetime(2026, 11, 23, 12, 0, tzinfo=UTC), "1")


@pytest.mark.parametrize("number", [1 << 31, 1 << 53, 1 << 63, 1 << 70])
def test_what_has_a_number_that_no_row_can_have_is_not_there(hub: Hub, number: int) -> None:
    with pytest.raises(NotFound):
        endorse_chain(hub, number)
