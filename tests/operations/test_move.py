import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import Connection, inspect
from tests.postgresql import in_files, new_schema

from bothways.errors import Conflict
from bothways.operations import move
from bothways.operations.alone import alone
from bothways.operations.audit import verify_audit
from bothways.operations.customers import add_customer, list_customers
from bothways.operations.hub import Hub, open_hub
from bothways.operations.move import move_hub
from bothways.operations.settings import FILE, render_settings
from bothways.registry.customer import CustomerKind
from bothways.store import observations
from bothways.store.certificates import StoredCertificate
from bothways.store.database import Database, create
from bothways.store.transfer import Copied, transfer

pytestmark = in_files

KILLED = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from bothways.operations.hub import open_hub
from bothways.operations.move import move_hub

@event.listens_for(Engine, "after_cursor_execute")
def kill(_connection, _cursor, statement, *_):
    if statement.startswith("INSERT INTO audit"):
        print("in the middle", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

with open_hub(Path(sys.argv[1]), "tester") as hub:
    move_hub(hub, sys.argv[2])
"""


def files_of(hub: Hub) -> dict[str, bytes]:
    """Return the files in the hub's directory, but those that SQLite keeps while somebody looks and nobody writes."""
    files = [each for each in hub.directory.iterdir() if each.is_file()]
    return {each.name: content for each in files if not each.name.endswith("-shm") and (content := each.read_bytes())}


def test_killed_in_the_middle_nothing_is_left_and_the_second_time_the_hub_works_there(
    hub: Hub, issuer: str, certify: Callable[[str], StoredCertificate]
) -> None:
    certify(issuer)
    with hub.observations.write(hub.now()) as transaction:
        observations.see_sources(transaction, [("192.0.2.1", issuer)])
    url = new_schema()
    hub.database.close()
    before = files_of(hub)
    command = [sys.executable, "-c", KILLED, str(hub.directory), url]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (killed.stdout, killed.returncode) == ("in the middle\n", -signal.SIGKILL), killed.stderr
    with closing(Database(url)) as target, target.read() as connection:
        assert inspect(connection).get_table_names() == []
    done = move_hub(hub, url)
    assert done.whole
    assert {each.rows for each in done.tables if each.table in {"customer", "certificate", "source"}} == {1}
    assert files_of(hub) == before
    (hub.directory / FILE).write_text(render_settings(replace(hub.settings, database=url)))
    with open_hub(hub.directory, "tester") as opened:
        assert verify_audit(opened).whole
        assert verify_audit(opened).lines == done.lines + 1
        assert [each.customer.tsp_id for each in list_customers(opened)] == [issuer]
        add_customer(opened, "87654321", CustomerKind.MERCHANT, "Corner Shop")
        with opened.observations.read() as connection:
            assert observations.customer_at(connection, "192.0.2.1") == issuer


def test_it_refuses_what_holds_something_a_hub_that_runs_and_one_that_is_there_already(hub: Hub) -> None:
    url = new_schema()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE recipe (name text)")
    with pytest.raises(Conflict, match="holds 1 tables, like recipe"):
        move_hub(hub, url)
    with closing(create(other := new_schema(), "PPR")) as there:
        with pytest.raises(Conflict, match="holds a hub already"):
            move_hub(hub, other)
        with pytest.raises(Conflict, match="is in PostgreSQL already"):
            move_hub(replace(hub, database=there), new_schema())
    with alone(hub.directory), pytest.raises(Conflict, match="runs already"):
        move_hub(hub, new_schema())


def test_nobody_writes_meanwhile(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def looked(source: Connection, observed: Connection, target: Connection) -> tuple[Copied, ...]:
        with closing(sqlite3.connect(hub.directory / "hub.db", timeout=0)) as other:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
            assert other.execute("SELECT count(*) FROM customer").fetchone() == (0,)
        return transfer(source, observed, target)

    monkeypatch.setattr(move, "transfer", looked)
    assert move_hub(hub, new_schema()).whole
