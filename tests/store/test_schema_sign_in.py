"""The tables of sign-in are made with the one schema."""

from sqlalchemy import inspect

from bothways.operations.hub import Hub
from bothways.store import schema_sign_in


def test_the_tables_are_there(hub: Hub) -> None:
    with hub.read() as connection:
        there = set(inspect(connection).get_table_names())
    assert {each.name for each in (schema_sign_in.account, schema_sign_in.session, schema_sign_in.passkey)} <= there
