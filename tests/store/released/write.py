"""Writes the files of the present schema, once, when it is released: `python -m tests.store.released.write`.

With the files go the rows of a hub that has something in every table.
"""

import re
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from tests.postgresql import new_database, program
from tests.store.rows import fill

from bothways.store import schema_observations, version
from bothways.store.database import create

HERE = Path(__file__).parent


def write() -> None:
    """Write both files. Raises `FileExistsError` if they are there: what was released does not change any more."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "hub.db"
        with closing(create(path, "PPR")) as database:
            fill(database)
        with closing(sqlite3.connect(path)) as connection:
            _write("sqlite", "\n".join(connection.iterdump()))
    url = new_database()
    with closing(create(url, "PPR")) as database:
        fill(database)
        fill(database, schema_observations.metadata)
    command = [str(program("pg_dump")), "--inserts", "--no-owner", "--no-comments", f"--dbname={url}"]
    dumped = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # What only its own reader understands, and who wrote it.
    lines = [line for line in dumped.splitlines() if not re.match(r"\\|--|$", line)]
    _write("postgresql", "\n".join(lines))


def _write(kind: str, text: str) -> None:
    with (HERE / f"{version.VERSION}.{kind}.sql").open("x") as file:
        file.write(text + "\n")


if __name__ == "__main__":
    write()
