"""`bothways hub migrate-store`."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import FAILED, OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.operations.move import move_hub
from bothways.operations.settings import FILE
from bothways.store.address import require_address


def _is_url(_kind: object, value: str) -> None:
    require_address(value)


def migrate_store(
    *,
    to: Annotated[
        str,
        Parameter(help="The URL of an empty PostgreSQL database, without a password in it.", validator=_is_url),
    ],
    directory: Directory = HERE,
    json: Json = False,
) -> int:
    """Copy the hub's database from its file into PostgreSQL, and compare every row of every table.

    In one transaction there: if it is ended or fails, nothing is left, and it can be begun again. The file stays as it
    is, and is what the hub uses until database.url in hub.toml says otherwise. See docs/postgresql.md.
    """
    with hub_in(directory) as hub:
        move = move_hub(hub, to)
        rows = [(each.table, each.rows, each.digest) for each in move.tables if each.rows]
        text = table(rows, ("table", "rows", "SHA-256, the same on both sides"))
        said = f"{move.rows} rows of {len(move.tables)} tables are in PostgreSQL, each table the same on both sides."
        chain = f"The audit has {move.lines} lines, and is {'whole' if move.whole else 'NOT whole, there as here'}."
        result(move.document(), f"{text}\n\n{said}\n{chain}", as_json=json)
        tell(
            f"\nThe hub still uses {move.source}, which is as it was: what is changed now is not in PostgreSQL. Next:\n"
            f'  1. write into the section [database] of {directory / FILE}:   url = "{to}"\n'
            f"  2. bothways audit verify --directory {directory}\n"
            f"  3. bothways hub run --directory {directory}\n"
            f"  4. when it serves, put {move.source.name} away, with its -wal and -shm: it holds all that the hub knew"
        )
        return OK if move.whole else FAILED
