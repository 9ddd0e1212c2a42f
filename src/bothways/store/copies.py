"""A copy of the database while it is in use, and whether a copy is sound. One place for each kind of database.

SQLite's online backup copies one consistent state; writers go on meanwhile (WAL).
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from bothways import files
from bothways.errors import Unusable


def copy_database(source: Path, target: Path) -> None:
    """Copy the database into a new file, readable by this user only. Raises `Conflict`, `Unusable`."""
    files.write_new(target, b"", files.PRIVATE)
    try:
        with closing(sqlite3.connect(source)) as from_, closing(sqlite3.connect(target)) as to:
            from_.backup(to)
            # One file, without a log beside it.
            to.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise Unusable(f"the database cannot be copied to {target}: {error}. Check the disk, and try again.") from error


def unsound(path: Path) -> str:
    """Return what is wrong with the file of a database, or an empty text: its pages, its indexes, its references."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            [said] = connection.execute("PRAGMA integrity_check(1)").fetchone()
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        return str(error)
    if said != "ok":
        return str(said)
    return f"a row of {broken[0]} refers to nothing in {broken[2]}" if broken else ""
